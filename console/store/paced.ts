/** A store whose listeners hear of facts at a pace, and of keys at once. */
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

/** What comes in all the time is drawn so soon where it is all that the screen shows, ms. */
export const LIVE_DRAWN_MS = 250;

/** And so soon where it is a part of the screen, ms. */
export const PART_DRAWN_MS = 500;

/** Everything else that comes by itself, ms: the clock and the status tick once a second. */
export const STEADY_DRAWN_MS = 1000;

/** How soon an event has to be on the screen, ms: frames are what the console costs. Pure. */
export function drawnWithinMs(event: Event, { ui: { screen, overlay } }: State): number {
  if (event.type !== "fact") return event.type === "ui" ? 0 : STEADY_DRAWN_MS;
  switch (event.fact.type) {
    case "alerts":
      if (screen === "overview") return PART_DRAWN_MS;
      return screen === "alerts" ? LIVE_DRAWN_MS : STEADY_DRAWN_MS;
    case "logs":
      return screen === "logs" ? LIVE_DRAWN_MS : STEADY_DRAWN_MS;
    case "verb_output":
      return overlay?.kind === "verb" ? LIVE_DRAWN_MS : STEADY_DRAWN_MS;
    case "edit_written":
    case "verb_started":
    case "verb_ended":
      return LIVE_DRAWN_MS;
    default:
      return STEADY_DRAWN_MS;
  }
}

/** Paces `store`: each change shows within what `withinMs` says, one frame for all that came until then. */
export function pacedStore(
  store: Store,
  withinMs: (event: Event, state: State) => number = drawnWithinMs,
): PacedStore {
  const listeners = new Set<() => void>();
  let shown = store.get();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let dueMs = Infinity;
  function show(): void {
    clearTimeout(timer);
    timer = undefined;
    dueMs = Infinity;
    if (shown === store.get()) return;
    shown = store.get();
    for (const listener of listeners) listener();
  }
  const unsubscribe = store.subscribe((event) => {
    const waitMs = withinMs(event, store.get());
    const at = performance.now() + waitMs;
    if (at >= dueMs) return;
    clearTimeout(timer);
    dueMs = at;
    timer = setTimeout(show, waitMs);
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
