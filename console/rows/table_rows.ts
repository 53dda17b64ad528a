/** Iceberg tables as rows and in full. Pure. */
import type { TableView } from "../store/model.ts";
import type { State } from "../store/state.ts";
import { age, bytes, count, grouped, milliseconds } from "../text/format.ts";
import { fitText } from "../text/cells.ts";
import { sparkline } from "../text/chart.ts";
import { type Line, lineOf, span } from "../text/span.ts";
import { type Column, pairs, type Row } from "../text/table.ts";

/** Columns of the tables screen. */
export const TABLE_COLUMNS: readonly Column[] = [
  { key: "name", title: "table", width: 18 },
  { key: "rows", title: "rows", width: 8, align: "right" },
  { key: "files", title: "files", width: 6, align: "right" },
  { key: "average", title: "avg file", width: 9, align: "right" },
  { key: "age", title: "age", width: 6, align: "right" },
  { key: "snapshots", title: "snaps", width: 5, align: "right" },
  { key: "behind", title: "to commit", width: 9, align: "right" },
  { key: "snapshot", title: "snapshot", width: 20, align: "right", from: 98 },
];

const COMMITS_SHOWN = 12;

/** Lines above the commits: the table's own, the chart, the header. */
const FOOTER_HEAD = 3;

/** Records in the table's topics beyond what it has consumed. */
export function behind(table: TableView, state: State): number {
  return table.consumed.reduce((sum, { topic, partition, next }) => {
    const view = state.model.partitions.find((one) =>
      one.topic === topic && one.partition === partition
    );
    return sum + (view === undefined ? 0 : Math.max(0, view.stable - next));
  }, 0);
}

/** Rows of the tables screen. */
export function tableRows(state: State): Row[] {
  return state.model.tables.map((table, index): Row => ({
    id: table.name,
    cells: {
      name: span(table.name, "title"),
      rows: span(count(table.rows)),
      files: span(count(table.files)),
      average: span(table.files === 0 ? "-" : bytes(table.bytes / table.files)),
      age: span(age(table.atMs, state.nowMs)),
      snapshots: span(table.snapshots),
      behind: span(count(behind(table, state))),
      snapshot: span(table.snapshotId ?? "none", "dim"),
    },
    sort: {
      order: index,
      rows: table.rows,
      files: table.files,
      average: table.files === 0 ? 0 : table.bytes / table.files,
      age: table.atMs ?? 0,
      snapshots: table.snapshots,
      behind: behind(table, state),
    },
  }));
}

function commitLine(state: State, commit: TableView["commits"][number]): Line {
  const took = commit.tookMs ?? state.model.commitMs.get(commit.snapshotId);
  const cell = (text: string, width: number): string => fitText(text, width, "right");
  return [
    span(cell(age(commit.atMs, state.nowMs), 7), "dim"),
    span(`  ${fitText(commit.operation, 9)}`, commit.operation === "append" ? "plain" : "accent"),
    span(
      cell(`+${count(commit.addedRows)}`, 8) + cell(`+${commit.addedFiles}`, 6) +
        cell(commit.removedFiles === 0 ? "" : `-${commit.removedFiles}`, 6) +
        cell(bytes(commit.addedBytes), 10) + cell(milliseconds(took), 8),
    ),
    span(`  ${commit.snapshotId}`, "dim"),
  ];
}

/** The newest commits of one table. */
export function commitLines(state: State, table: TableView, most: number): Line[] {
  return [
    lineOf(
      "    age  operation    rows files  gone      size    took  snapshot",
      "dim",
    ),
    ...table.commits.slice(0, most).map((commit) => commitLine(state, commit)),
  ];
}

/** What lies under the list: the table under the cursor. */
export function tablesFooter(
  state: State,
  table: TableView | undefined,
  { width, height }: { width: number; height: number },
): Line[] {
  if (table === undefined) return [];
  // A care run writes rows again that are there already.
  const appends = table.commits.filter(({ operation }) => operation === "append");
  const rows = appends.map(({ addedRows }) => addedRows).reverse();
  const care = table.commits.find(({ operation }) => operation === "replace");
  return [
    [
      span(`finance.${table.name}`, "accent"),
      span(`  ${grouped(table.rows)} rows, ${bytes(table.bytes)}, ${table.tags} tags`),
      span(
        `  last care run: ${
          care === undefined ? "none in its history" : age(care.atMs, state.nowMs)
        }`,
        "dim",
      ),
    ],
    [
      span("rows per commit ", "dim"),
      {
        text: sparkline(rows, Math.min(rows.length, 60), {
          width: Math.min(30, width - 20),
          ascii: state.settings.ascii,
        }),
        tone: "accent",
      },
    ],
    ...commitLines(state, table, Math.max(1, Math.min(COMMITS_SHOWN, height - FOOTER_HEAD))),
  ];
}

/** A table in full. */
export function tableDetail(state: State, name: string): Line[] {
  const table = state.model.tables.find((one) => one.name === name);
  if (table === undefined) return [lineOf("this table is gone", "dim")];
  return [
    [span(`finance.${table.name}`, "title")],
    [],
    ...pairs([
      ["location", span(table.location)],
      ["snapshot", span(table.snapshotId ?? "none")],
      ["rows", span(grouped(table.rows))],
      ["files", span(`${table.files}, ${bytes(table.bytes)}`)],
      ["snapshots kept", span(`${table.snapshots}, ${table.tags} tags`)],
      ["columns", span(table.schemaColumns)],
    ]),
    [],
    lineOf("committed offsets, beside the broker's", "accent"),
    ...table.consumed.map(({ topic, partition, next }) => {
      const view = state.model.partitions.find((one) =>
        one.topic === topic && one.partition === partition
      );
      return lineOf(
        `  ${fitText(`${topic}/${partition}`, 26)}${fitText(String(next), 12, "right")}` +
          `${fitText(view === undefined ? "-" : `of ${view.stable}`, 15, "right")}`,
      );
    }),
    [],
    lineOf("commits", "accent"),
    ...commitLines(state, table, 100),
  ];
}
