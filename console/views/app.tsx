/** The application: the store on the screen, and keys to whoever handles them. */
import { useInput, usePaste, useWindowSize } from "ink";
import { type ReactNode, useEffect, useSyncExternalStore } from "react";
import { keyNames } from "../keys/key_name.ts";
import type { PacedStore } from "../store/paced.ts";
import { Frame } from "./frame.tsx";

/** Properties of {@linkcode App}. */
export interface AppProps {
  store: Pick<PacedStore, "get" | "subscribe">;
  /** A name of `keyNames()`, or pasted text. */
  onKey: (key: string) => void;
  onResize: (size: { columns: number; rows: number }) => void;
}

/** The application. One handler takes every key: which part it is for is decided by state, not by focus. */
export function App({ store, onKey, onResize }: AppProps): ReactNode {
  const state = useSyncExternalStore(store.subscribe, store.get);
  const { columns, rows } = useWindowSize();
  useEffect(() => onResize({ columns, rows }), [columns, rows, onResize]);
  useInput((input, key) => keyNames(input, key).forEach(onKey));
  // Pasted text is one key of many characters: lines that are typed take it, nothing else does.
  usePaste((text) => onKey(text));
  return <Frame state={state} />;
}
