/** A store whose listeners hear of facts at most so often, and of keys at once. */
import type { Event, State } from "./state.ts";
import type { Store } from "./store.ts";

/** A paced view of a store. */
export interface PacedStore {
  /** The state as last shown: it only changes together with a notification. */
  get(): State;
  subscribe(listener: () => void): () => void;
  /** Dispatches and notifies at once. */
  now(event: Event): void;
  /** Ends the pacing timer. */
  close(): void;
}

/** Paces `store`: a change by facts shows within `everyMs`. */
export function pacedStore(store: Store, everyMs: number): PacedStore {
  const listeners = new Set<() => void>();
  let shown = store.get();
  let timer: ReturnType<typeof setTimeout> | undefined;
  function show(): void {
    clearTimeout(timer);
    timer = undefined;
    if (shown === store.get()) return;
    shown = store.get();
    for (const listener of listeners) listener();
  }
  const unsubscribe = store.subscribe(() => {
    timer ??= setTimeout(show, everyMs);
  });
  return {
    get: () => shown,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    now(event) {
      store.dispatch(event);
      show();
    },
    close() {
      unsubscribe();
      clearTimeout(timer);
    },
  };
}
