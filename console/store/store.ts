/** Holds the state and tells a listener when it changed. No clock and no I/O. */
import { type Event, reduce, type State } from "./state.ts";

/** The store. */
export interface Store {
  get(): State;
  dispatch(event: Event): void;
  /** The listener is told what changed it. Returns how to unsubscribe. */
  subscribe(listener: (event: Event) => void): () => void;
}

/** Makes a store. */
export function createStore(initial: State): Store {
  let state = initial;
  const listeners = new Set<(event: Event) => void>();
  return {
    get: () => state,
    dispatch(event) {
      const next = reduce(state, event);
      if (next === state) return;
      state = next;
      for (const listener of listeners) listener(event);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
