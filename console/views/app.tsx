/** The application: the store on the screen, and keys to whoever handles them. */
import { useInput, useWindowSize } from "ink";
import { type ReactNode, useEffect, useSyncExternalStore } from "react";
import { keyName } from "../keys/key_name.ts";
import type { Store } from "../store/store.ts";
import { Frame } from "./frame.tsx";

/** Properties of {@linkcode App}. */
export interface AppProps {
  store: Pick<Store, "get" | "subscribe">;
  /** A name of `keyName()`. */
  onKey: (key: string) => void;
  onResize: (size: { columns: number; rows: number }) => void;
}

/** The application. One handler takes every key: which part it is for is decided by state, not by focus. */
export function App({ store, onKey, onResize }: AppProps): ReactNode {
  const state = useSyncExternalStore(store.subscribe, store.get);
  const { columns, rows } = useWindowSize();
  useEffect(() => onResize({ columns, rows }), [columns, rows, onResize]);
  useInput((input, key) => onKey(keyName(input, key)));
  return <Frame state={state} />;
}
