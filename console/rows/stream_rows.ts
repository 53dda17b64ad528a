/** Topics, partitions, groups and dead letters as rows. Pure. */
import type { DeadLetterItem, PartitionView } from "../store/model.ts";
import type { State } from "../store/state.ts";
import { wrapText } from "../text/cells.ts";
import { age, count, rate } from "../text/format.ts";
import { type Line, lineOf, span } from "../text/span.ts";
import { type Column, pairs, type Row } from "../text/table.ts";

/** Columns of the partitions. */
export const PARTITION_COLUMNS: readonly Column[] = [
  { key: "topic", title: "topic", flex: 1 },
  { key: "partition", title: "p", width: 3, align: "right" },
  { key: "start", title: "start", width: 9, align: "right", from: 108 },
  { key: "committed", title: "committed", width: 10, align: "right" },
  { key: "stable", title: "stable", width: 10, align: "right" },
  { key: "end", title: "end", width: 10, align: "right" },
  { key: "lag", title: "lag", width: 6, align: "right" },
  { key: "rate", title: "rec/s", width: 6, align: "right" },
  { key: "open", title: "open txn", width: 8, align: "right" },
  { key: "group", title: "group", width: 10, from: 92 },
];

/** Columns of the dead letters. */
export const DEAD_LETTER_COLUMNS: readonly Column[] = [
  { key: "age", title: "age", width: 6, align: "right" },
  { key: "type", title: "error", width: 13 },
  { key: "field", title: "field", width: 18 },
  { key: "what", title: "expected, got", flex: 2 },
  { key: "source", title: "source", width: 26, from: 98 },
];

/** Age below which a transaction is one of the many that are always under way. */
const OPEN_SECONDS_SHOWN = 3;

/** Age from which an open transaction is worth a look: the pipeline's last milliseconds. */
const OPEN_SECONDS_WARN = 15;

function partitionRow(view: PartitionView, order: number, nowMs: number): Row {
  const [group, committed] = Object.entries(view.committed)[0] ?? [undefined, undefined];
  const lag = committed === undefined
    ? undefined
    : Math.max(0, view.end - Math.max(committed, view.start));
  const openSeconds = view.openSinceMs === undefined ? 0 : (nowMs - view.openSinceMs) / 1000;
  return {
    id: `${view.topic}/${view.partition}`,
    cells: {
      topic: span(view.topic),
      partition: span(view.partition, "dim"),
      start: span(view.start, "dim"),
      committed: span(committed === undefined ? "" : committed < 0 ? "none" : committed),
      stable: span(view.stable, view.stable < view.end ? "accent" : "plain"),
      end: span(view.end),
      lag: span(
        lag === undefined ? "" : count(lag),
        lag !== undefined && lag > 10_000 ? "warn" : "plain",
      ),
      rate: span(rate(view.rate), "dim"),
      open: span(
        openSeconds < OPEN_SECONDS_SHOWN ? "" : age(view.openSinceMs, nowMs),
        openSeconds > OPEN_SECONDS_WARN ? "bad" : "dim",
      ),
      group: span(group ?? "", "dim"),
    },
    sort: { order, lag: lag ?? -1, rate: view.rate, end: view.end, open: openSeconds },
  };
}

/** Rows of the partitions. */
export function partitionRows(state: State): Row[] {
  return state.model.partitions.map((view, index) => partitionRow(view, index, state.nowMs));
}

/** Rows of the dead letters. */
export function deadLetterRows(items: readonly DeadLetterItem[]): Row[] {
  return items.map(({ id, atMs, letter }): Row => {
    const first = letter.errors[0];
    const more = letter.errors.length > 1 ? ` (+${letter.errors.length - 1})` : "";
    return {
      id,
      atMs,
      cells: {
        type: span(letter.error_type, "warn"),
        field: span(`${first?.field ?? ""}${more}`),
        what: span(first === undefined ? "" : `${first.expected}, got ${first.actual}`, "dim"),
        source: span(
          `${letter.source.topic}/${letter.source.partition}/${letter.source.offset}`,
          "dim",
        ),
      },
      sort: { order: -atMs, age: atMs },
    };
  });
}

/** Groups, and dead letters by reason. */
export function streamsFooter(state: State): Line[] {
  const byReason = new Map<string, number>();
  for (const { letter } of state.model.deadLetters.items) {
    byReason.set(letter.error_type, (byReason.get(letter.error_type) ?? 0) + 1);
  }
  const reasons = [...byReason].map(([type, n]) => `${type} ${n}`).join("  ");
  const groups = state.model.groups.map(({ group, state: word, members }) =>
    `${group} (${
      members.length === 0 ? "positions mirrored, no members" : `${word}: ${members.join(", ")}`
    })`
  ).join("  ");
  return [
    [span("groups        ", "dim"), span(groups === "" ? "none" : groups)],
    [
      span("dead letters  ", "dim"),
      span(reasons === "" ? "none read yet" : reasons, reasons === "" ? "dim" : "warn"),
      span(
        `  (D shows ${state.ui.streamsView === "partitions" ? "them" : "the partitions"})`,
        "dim",
      ),
    ],
  ];
}

/** A partition in full: its offsets, and who reads it. */
export function partitionDetail(state: State, id: string): Line[] {
  const view = state.model.partitions.find(({ topic, partition }) =>
    `${topic}/${partition}` === id
  );
  if (view === undefined) return [lineOf("this partition is gone", "dim")];
  const { nowMs } = state;
  const groups = Object.entries(view.committed).flatMap(([group, committed]): Line[] => {
    const known = state.model.groups.find((one) => one.group === group);
    const members = known?.members ?? [];
    return [
      [],
      lineOf(`group ${group}`, "accent"),
      ...pairs([
        ["  committed", span(committed < 0 ? "none" : committed)],
        ["  lag to the end", span(Math.max(0, view.end - Math.max(committed, view.start)))],
        ["  state", span(known?.state ?? "not known")],
        ["  members", span(members.length === 0 ? "none: its positions are a mirror" : "")],
      ]),
      ...members.map((name) => lineOf(`    ${name}`)),
    ];
  });
  return [
    lineOf(id, "title"),
    [],
    ...pairs([
      ["  start", span(view.start)],
      ["  stable", span(view.stable)],
      ["  end", span(view.end)],
      ["  records per second", span(rate(view.rate))],
      [
        "  open transaction",
        span(view.openSinceMs === undefined ? "none" : `for ${age(view.openSinceMs, nowMs)}`),
      ],
    ]),
    ...groups,
  ];
}

/** A dead letter in full. */
export function deadLetterDetail(
  { letter, atMs }: DeadLetterItem,
  nowMs: number,
  width: number,
): Line[] {
  return [
    [span(letter.error_type, "warn"), span(`  ${age(atMs, nowMs)} ago`, "dim")],
    [],
    lineOf("errors", "accent"),
    ...letter.errors.flatMap(({ field, expected, actual }) => [
      lineOf(`  ${field}`, "title"),
      ...wrapText(`expected ${expected}`, width - 4).map((text) => lineOf(`    ${text}`)),
      ...wrapText(`got ${actual}`, width - 4).map((text) => lineOf(`    ${text}`, "bad")),
    ]),
    [],
    lineOf("source", "accent"),
    ...pairs([
      [
        "  record",
        span(`${letter.source.topic}/${letter.source.partition}/${letter.source.offset}`),
      ],
      ["  kafka time", span(letter.source.timestamp)],
      ["  failed_at", span(letter.failed_at)],
      [
        "  bytes",
        span(`${letter.original_bytes}${letter.truncated ? " (the first 10 KB follow)" : ""}`),
      ],
      ["  encoding", span(letter.original_encoding)],
    ]),
    [],
    lineOf("original", "accent"),
    ...wrapText(letter.original, width - 2).map((text) => lineOf(`  ${text}`)),
  ];
}
