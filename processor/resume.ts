/**
 * Accepting a gap (E4): an operator decided that what is gone is gone. The task takes the partition like an
 * owner would, so a processor that still runs is fenced, and writes the gap and the new position in
 * one transaction. A processor that waits at the gap sees the new position and takes the partition again.
 */
import type { Reader } from "../broker/port.ts";
import { HEADER_TRACE } from "../contracts/headers.ts";
import { parseTrace } from "../contracts/ids.ts";
import { MisuseError } from "../contracts/errors.ts";
import {
  type AcceptedGap,
  dropBoundary,
  encodeBoundary,
  encodeGap,
  encodePosition,
  encodeSchema,
  type LoopRecords,
} from "./changelog.ts";
import { type ProcessorContext, transactionalIdOf } from "./context.ts";
import { findGap, type Gap, type PartitionFacts } from "./gaps.ts";
import type { StateChange } from "./step_types.ts";
import { readFacts, readLoopRecords } from "./take_partition.ts";
import { changelogBatch } from "./unit.ts";

/** What resume needs of a processor's context. */
export type ResumeContext = Pick<
  ProcessorContext<never, never>,
  "broker" | "topics" | "group" | "settings" | "clock" | "sessionId"
>;

/** Where a partition stands, as somebody sees it who only looks. */
export interface GapReport {
  partition: number;
  /** Next offset; undefined where the changelog has none. */
  position: number | undefined;
  gap: Gap | undefined;
}

interface Found extends GapReport {
  records: LoopRecords;
  facts: PartitionFacts;
}

async function look(
  context: ResumeContext,
  partition: number,
  signal: AbortSignal,
): Promise<Found> {
  const reader = await context.broker.openReader();
  try {
    const records = await readLoopRecords(context, { reader, partition, signal });
    const facts = await readFacts(context, partition);
    const { position } = records;
    return { partition, position: position?.next, gap: findGap(position, facts), records, facts };
  } finally {
    await reader.close();
  }
}

/** Finds the gaps of partitions without touching anything. */
export async function findGaps(
  context: ResumeContext,
  partitions: readonly number[],
  signal: AbortSignal,
): Promise<GapReport[]> {
  return await Promise.all(partitions.map(async (partition) => {
    const { position, gap } = await look(context, partition, signal);
    return { partition, position, gap };
  }));
}

/** How far back from its end a topic is searched for its last trace, at first. */
const TAIL_OFFSETS = 1000;

/** The raw offset behind the last committed record of a partition; undefined where it holds none. */
async function lastTraced(
  context: ResumeContext,
  options: { reader: Reader; topic: string; partition: number; signal: AbortSignal },
): Promise<number | undefined> {
  const { reader, topic, partition, signal } = options;
  const { broker, settings } = context;
  const { start, stable } = (await broker.offsets(topic)).find((one) =>
    one.partition === partition
  )!;
  const decoder = new TextDecoder();
  for (let back = TAIL_OFFSETS;; back *= 4) {
    let last: number | undefined;
    const from = Math.max(start, stable - back);
    for (let at = from; at < stable;) {
      const waitMsMax = settings.fetchWaitMsMax;
      const fetched = await reader.fetch(topic, partition, { offset: at, waitMsMax, signal });
      for (let i = fetched.records.count - 1; i >= 0; i--) {
        const trace = fetched.records.header(i, HEADER_TRACE);
        const place = trace && parseTrace(decoder.decode(trace));
        if (place === undefined) continue;
        last = place.offset;
        break;
      }
      at = fetched.nextOffset;
    }
    if (last !== undefined || from === start) return last;
  }
}

/**
 * The position after a lost changelog: each raw record has one record in `transactions` or `dead-letter`, and a
 * batch's are committed together, so the later of their last traces was the last one judged.
 */
async function positionFromOutputs(
  context: ResumeContext,
  partition: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { broker, topics } = context;
  const reader = await broker.openReader();
  try {
    const traced = await Promise.all(
      [topics.transactions, topics.deadLetter].map((topic) =>
        lastTraced(context, { reader, topic, partition, signal })
      ),
    );
    const offsets = traced.filter((offset) => offset !== undefined);
    return offsets.length === 0 ? undefined : Math.max(...offsets) + 1;
  } finally {
    await reader.close();
  }
}

async function nextPosition(
  context: ResumeContext,
  { partition, facts }: Found,
  gap: Gap,
  options: { from?: number | undefined; signal: AbortSignal },
): Promise<number> {
  const { start, stable } = facts.raw;
  const { from, signal } = options;
  if (from !== undefined) {
    if (from >= start && from <= stable) return from;
    throw new MisuseError(
      `Cannot resume partition ${partition} from "${from}": expected ${start} to ${stable}`,
    );
  }
  if (gap.kind === "truncated") return stable;
  if (gap.kind !== "changelog_lost") return start;
  const next = await positionFromOutputs(context, partition, signal);
  if (next !== undefined && next <= stable) return Math.max(next, start);
  throw new MisuseError(
    `Cannot tell from the outputs where partition ${partition} stood; name an offset from ${start} to ${stable} with --from`,
  );
}

/** Boundaries that a position which moved back has before it: the newest rules count from there on. */
function movedBoundaries(records: LoopRecords, next: number, appliedAt: string): StateChange[] {
  const boundaries = [...records.boundaries.values()].sort((a, b) => a.offset - b.offset);
  const beyond = boundaries.filter((boundary) => boundary.offset > next);
  const newest = beyond.at(-1);
  if (newest === undefined) return [];
  const { rulesVersion } = newest;
  return [
    ...beyond.map((boundary) => dropBoundary(boundary.offset)),
    encodeBoundary({ offset: next, rulesVersion, appliedAt }),
  ];
}

/** Options of {@linkcode acceptGap}. */
export interface AcceptOptions {
  partition: number;
  /** Where to go on; found out by default. */
  from?: number | undefined;
  signal: AbortSignal;
}

/**
 * Accepts the gap of a partition, if it has one; returns what was recorded.
 *
 * @throws {MisuseError} when `from` is outside the log, or is needed and not given.
 */
export async function acceptGap(
  context: ResumeContext,
  options: AcceptOptions,
): Promise<AcceptedGap | undefined> {
  const { broker, topics, group, settings, clock, sessionId } = context;
  const { partition, signal } = options;
  // 1. Look before taking anything: taking the id of a healthy partition would disturb its owner.
  if ((await look(context, partition, signal)).gap === undefined) return undefined;
  // 2. Take the id (T1): nobody else moves the position from here on.
  const id = transactionalIdOf(group, topics.raw, partition);
  const { transactionTimeoutMs } = settings;
  const writer = await broker.openTransactionalWriter(id, { transactionTimeoutMs });
  try {
    // 3. Look again; now it is final.
    const found = await look(context, partition, signal);
    const { gap, records, facts } = found;
    if (gap === undefined) return undefined;
    const next = await nextPosition(context, found, gap, options);
    // 4. Gap and position in one transaction.
    const acceptedAt = new Date(clock.now()).toISOString();
    const { kind, reason } = gap;
    const from = kind === "changelog_lost" ? next : gap.from;
    const to = kind === "expired" ? next : Math.max(from, gap.to);
    const accepted: AcceptedGap = { kind, from, to, next, reason, acceptedAt, sessionId };
    const { clusterId, topicId } = facts;
    const rulesVersion = records.position?.rulesVersion ?? "";
    writer.begin();
    await writer.send([changelogBatch(topics.state, partition, [
      encodeSchema(),
      ...movedBoundaries(records, next, acceptedAt),
      encodeGap(accepted),
      encodePosition({ next, sessionId, clusterId, topicId, rulesVersion }),
    ])]);
    await writer.commit();
    return accepted;
  } finally {
    await writer.close();
  }
}
