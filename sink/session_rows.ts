/**
 * Which records of `pipeline-sessions` become rows (design section 6: a row per stage and hour and at each
 * clean end). Figures are cumulative and come every minute, at each change of the hour and at a clean
 * end. A row is made of the first record of a session in a new hour (the hour of its start does not
 * count as new) and of its final one. That is a function of the log alone, so that reading it again gives
 * the same rows; a session that was killed has no row of its last, unfinished hour.
 */
import type { Broker, Reader, RecordBatch } from "../broker/port.ts";
import { SessionFigures } from "../contracts/session.ts";
import type { ConsumedOffsets } from "../contracts/tables.ts";
import { nextOffset } from "./offsets.ts";
import type { Accept } from "./spool.ts";

/** Sessions remembered; the one heard of longest ago goes first. */
const SESSIONS_MAX = 1000;

/** Offsets before the position that are read again at start: days of records that come once a minute. */
const LOOK_BACK = 20_000;

const HOUR_MS = 3_600_000;

/** Decides record by record, in log order. Pure. */
export class SessionFilter {
  /** Session → the hour (since the epoch) of its last record. */
  readonly #hours = new Map<string, number>();

  /** True if the record becomes a row. What is no session's figures passes: it is refused later, visibly. */
  accept(records: RecordBatch, index: number): boolean {
    const figures = parse(records, index);
    if (figures === undefined) return true;
    const { session_id: id, start_timestamp, end_timestamp, final } = figures;
    const hour = hourOf(end_timestamp);
    const before = this.#hours.get(id) ?? hourOf(start_timestamp);
    this.#hours.delete(id);
    this.#hours.set(id, hour);
    if (this.#hours.size > SESSIONS_MAX) {
      this.#hours.delete(this.#hours.keys().next().value as string);
    }
    return final || hour > before;
  }
}

function hourOf(timestamp: string): number {
  return Math.floor(Date.parse(timestamp) / HOUR_MS);
}

function parse(records: RecordBatch, index: number): SessionFigures | undefined {
  const start = records.valueStart[index]!;
  if (start === -1) return undefined;
  const text = new TextDecoder().decode(records.bytes.subarray(start, records.valueEnd[index]!));
  try {
    const parsed = SessionFigures.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** A filter that knows the sessions before the table's position, by reading the log's part before it again. */
export async function openSessionFilter(
  broker: Broker,
  topic: string,
  offsets: ConsumedOffsets | undefined,
): Promise<Accept> {
  const filter = new SessionFilter();
  const log = (await broker.offsets(topic)).find(({ partition }) => partition === 0);
  const position = nextOffset(offsets, topic, 0);
  if (log !== undefined && position !== undefined) {
    const reader = await broker.openReader({ isolation: "committed" });
    try {
      const from = Math.max(log.start, position - LOOK_BACK);
      await readThrough(reader, { topic, from, to: Math.min(position, log.stable) }, filter);
    } finally {
      await reader.close();
    }
  }
  return (records, index) => filter.accept(records, index);
}

async function readThrough(
  reader: Reader,
  range: { topic: string; from: number; to: number },
  filter: SessionFilter,
): Promise<void> {
  for (let offset = range.from; offset < range.to;) {
    const { records, nextOffset } = await reader.fetch(range.topic, 0, { offset, waitMsMax: 500 });
    for (let index = 0; index < records.count; index++) {
      // A fetch may reach beyond the position: what lies there is the table's to come.
      if (records.offsets[index]! < range.to) filter.accept(records, index);
    }
    offset = nextOffset;
  }
}
