/** Moving in lists: cursor, sort, filter, pause. Pure. */
import { cursorIndex, windowTop } from "../rows/list.ts";
import { bodyHeight, screenList } from "../rows/screen.ts";
import type { State } from "../store/state.ts";
import { layoutColumns } from "../text/table.ts";
import { type Command, ui } from "./commands.ts";

/** Moves the cursor by rows, or to a row. */
export function moveCursor(state: State, to: { by?: number; at?: "first" | "last" }): Command[] {
  const { rows, list } = screenList(state);
  if (rows.length === 0) return [];
  const now = cursorIndex(rows, list);
  const wanted = to.at === "first" ? 0 : to.at === "last" ? rows.length - 1 : now + (to.by ?? 0);
  const cursor = Math.max(0, Math.min(rows.length - 1, wanted));
  const height = Math.max(1, bodyHeight(state) - 1);
  const top = windowTop({ count: rows.length, height, cursor, top: list.top });
  // At the first row the cursor belongs to the place and not to the row: new rows come in under it.
  return [ui({ type: "cursor", id: cursor === 0 ? undefined : rows[cursor]!.id, top })];
}

/** Sorts by the next column that is shown, or turns the order round. */
export function changeSort(state: State, how: "next" | "turn"): Command[] {
  const { columns, list } = screenList(state);
  const { key, descending } = list.sort;
  if (how === "turn") return [ui({ type: "sort", key, descending: !descending })];
  const shown = layoutColumns(columns, state.ui.columns).map(({ column }) => column.key);
  const next = shown[(shown.indexOf(key) + 1) % shown.length];
  return next === undefined ? [] : [ui({ type: "sort", key: next, descending: false })];
}

/** Stops the list, or lets it go on. */
export function togglePause(state: State): Command[] {
  const { ui: where, model } = state;
  const list = where.lists[where.screen];
  if (list.pausedAtSeq !== undefined) return [ui({ type: "pause", atSeq: undefined })];
  const feed = where.screen === "alerts"
    ? model.alerts
    : where.screen === "logs"
    ? model.logs
    : model.deadLetters;
  return [ui({ type: "pause", atSeq: feed.items.at(-1)?.seq ?? 0 })];
}

/** Back to the newest: no cursor, no pause, sorted by time. */
export function follow(state: State): Command[] {
  const key = state.ui.screen === "logs" ? "time" : "age";
  return [
    ui({ type: "pause", atSeq: undefined }),
    ui({ type: "sort", key, descending: true }),
    ui({ type: "cursor", id: undefined, top: 0 }),
  ];
}
