/** What each screen shows: its list, its detail and its body, as lines. Pure. */
import type { State } from "../store/state.ts";
import type { ListUi, ScreenName } from "../store/ui.ts";
import { clipLine, type Line, lineOf, span } from "../text/span.ts";
import type { Column, Row } from "../text/table.ts";
import { ALERT_COLUMNS, alertDetail, alertRows } from "./alert_rows.ts";
import { cursorIndex, listedRows, listLines, listSummary } from "./list.ts";
import { CHROME_ROWS } from "./layout.ts";
import { atLeast, LOG_COLUMNS, logDetail, logRows } from "./log_rows.ts";
import { overviewLines } from "./overview.ts";
import { RULE_COLUMNS, ruleDetail, ruleRows, rulesFooter } from "./rule_rows.ts";
import {
  DEAD_LETTER_COLUMNS,
  deadLetterDetail,
  deadLetterRows,
  PARTITION_COLUMNS,
  partitionDetail,
  partitionRows,
  streamsFooter,
} from "./stream_rows.ts";
import { TABLE_COLUMNS, tableDetail, tableRows, tablesFooter } from "./table_rows.ts";

/** The list of a screen as it is now. */
export interface ScreenList {
  columns: readonly Column[];
  rows: readonly Row[];
  list: ListUi;
  empty: string;
  /** Before the filter. */
  all: number;
  /** Items that came and are no longer kept. */
  dropped: number;
}

function heard<T extends { seq: number }>(items: readonly T[], list: ListUi): readonly T[] {
  const { pausedAtSeq } = list;
  return pausedAtSeq === undefined ? items : items.filter(({ seq }) => seq <= pausedAtSeq);
}

/** Columns, all rows, and what to say where there are none. */
function source(state: State): Omit<ScreenList, "list" | "all"> {
  const { model, ui, settings } = state;
  const list = ui.lists[ui.screen];
  const quiet = "nothing yet";
  switch (ui.screen) {
    case "alerts": {
      const rows = alertRows(heard(model.alerts.items, list));
      return { columns: ALERT_COLUMNS, rows, empty: quiet, dropped: model.alerts.dropped };
    }
    case "rules": {
      const empty = settings.readOnly === "attached by address"
        ? "the rule file is not here: attached by address"
        : "no valid rule file yet";
      return { columns: RULE_COLUMNS, rows: ruleRows(state), empty, dropped: 0 };
    }
    case "streams": {
      if (ui.streamsView === "partitions") {
        const empty = model.brokerError?.message ?? quiet;
        return { columns: PARTITION_COLUMNS, rows: partitionRows(state), empty, dropped: 0 };
      }
      const { items, dropped } = model.deadLetters;
      const rows = deadLetterRows(heard(items, list));
      return { columns: DEAD_LETTER_COLUMNS, rows, empty: "no dead letters", dropped };
    }
    case "tables": {
      const empty = model.tablesError?.message ?? quiet;
      return { columns: TABLE_COLUMNS, rows: tableRows(state), empty, dropped: 0 };
    }
    case "logs": {
      const items = heard(model.logs.items, list).filter((item) =>
        atLeast(item, ui.level) && (ui.component === undefined || item.component === ui.component)
      );
      return {
        columns: LOG_COLUMNS,
        rows: logRows(items),
        empty: settings.readOnly === "attached by address"
          ? "the logs are not here: attached by address"
          : quiet,
        dropped: model.logs.dropped,
      };
    }
    case "overview":
      return { columns: [], rows: [], empty: "", dropped: 0 };
  }
}

/** Lists by state: several parts of a frame ask for the same one. */
const lists = new WeakMap<State, ScreenList>();

/** The list of the screen that is shown. */
export function screenList(state: State): ScreenList {
  const known = lists.get(state);
  if (known !== undefined) return known;
  const { rows, ...rest } = source(state);
  const list = state.ui.lists[state.ui.screen];
  const made = { ...rest, rows: listedRows(rows, list), list, all: rows.length };
  lists.set(state, made);
  return made;
}

/** The row under the cursor. */
export function selectedRow(state: State): Row | undefined {
  const { rows, list } = screenList(state);
  return rows[cursorIndex(rows, list)];
}

/** Rows that the body has. */
export function bodyHeight(state: State): number {
  return Math.max(1, state.ui.rows - CHROME_ROWS);
}

function footerOf(state: State, list: ScreenList): Line[] {
  const { columns } = state.ui;
  switch (state.ui.screen) {
    case "rules":
      return rulesFooter(state);
    case "streams":
      return streamsFooter(state);
    case "tables": {
      const id = list.rows[cursorIndex(list.rows, list.list)]?.id;
      const table = state.model.tables.find(({ name }) => name === id);
      // The list of tables with its header, and the line between, go before commits.
      return tablesFooter(state, table, {
        width: columns,
        height: bodyHeight(state) - list.rows.length - 2,
      });
    }
    default:
      return [];
  }
}

/** Lines that a screen's list may take: what its footer leaves, and no more than it has where that matters. */
export function listHeight(state: State, list: ScreenList, footer: number): number {
  const body = bodyHeight(state);
  const most = footer === 0 ? body : body - footer - 1;
  const ownHeight = list.rows.length + 1;
  return Math.max(4, state.ui.screen === "tables" ? Math.min(ownHeight, most) : most);
}

/** The body of the screen: exactly the lines between tabs and message, or fewer. */
export function bodyLines(state: State): Line[] {
  const { ui } = state;
  const { columns } = ui;
  const height = bodyHeight(state);
  if (ui.screen === "overview") return overviewLines(state, ui.columns, height);
  const list = screenList(state);
  const footer = footerOf(state, list);
  const room = listHeight(state, list, footer.length);
  const lines = listLines(list, { width: ui.columns, height: room, nowMs: state.nowMs });
  if (footer.length === 0) return lines;
  const gap: Line[] = Array.from({ length: Math.max(1, room - lines.length + 1) }, () => []);
  return [...lines, ...gap, ...footer].slice(0, height).map((line) => clipLine(line, columns));
}

/** Rows and filter of the list, for the message line. */
export function summaryOfList(state: State): Line {
  if (state.ui.screen === "overview") return [];
  const { list, rows, all, dropped } = screenList(state);
  const level: Line = state.ui.screen === "logs"
    ? [
      span(`  level ${state.ui.level} and above`, "dim"),
      ...(state.ui.component === undefined ? [] : [span(`  only ${state.ui.component}`, "accent")]),
    ]
    : [];
  return [...listSummary(list, rows.length, all, dropped), ...level];
}

/** The detail of a row. */
export function detailLines(state: State, id: string, width: number): Line[] {
  const { model, nowMs, ui } = state;
  const gone = [lineOf("it is no longer kept here; query it: deno task query", "dim")];
  const screen: ScreenName = ui.screen;
  switch (screen) {
    case "alerts": {
      const item = model.alerts.items.find((one) => one.id === id);
      return item === undefined ? gone : alertDetail(item, nowMs, width);
    }
    case "rules":
      return ruleDetail(state, id, width);
    case "streams": {
      if (ui.streamsView === "partitions") return partitionDetail(state, id);
      const item = model.deadLetters.items.find((one) => one.id === id);
      return item === undefined ? gone : deadLetterDetail(item, nowMs, width);
    }
    case "tables":
      return tableDetail(state, id);
    case "logs": {
      const item = model.logs.items.find((one) => one.id === id);
      return item === undefined ? gone : logDetail(item, width);
    }
    case "overview":
      return [];
  }
}
