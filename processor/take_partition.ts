/** Taking a partition: steps T1 to T5 of docs/exactly-once.md. */
import {
  type PartitionOffsets,
  type Reader,
  type TransactionalWriter,
  UnknownTopicError,
} from "../broker/port.ts";
import { NotReadyError } from "../contracts/errors.ts";
import { createLoopRecords, type LoopRecords, type Position } from "./changelog.ts";
import { type PartitionView, type ProcessorContext, transactionalIdOf } from "./context.ts";
import { findGap, GapError, type PartitionFacts } from "./gaps.ts";
import { readChangelog, settledEnd } from "./restore.ts";
import { RuleHistory } from "./rule_history.ts";
import type { ReadyRuleSet, RuleSetRecord } from "./step_types.ts";

/** A partition that is ours: nobody else can commit to it until somebody takes its id. */
export interface TakenPartition<State, Compiled> {
  partition: number;
  writer: TransactionalWriter;
  /** Two, used in turn: a batch stays valid while the next one is fetched. */
  readers: readonly [Reader, Reader];
  state: State;
  history: RuleHistory;
  /** The changelog's rule set, compiled; undefined where it has none that can be. Not in force yet. */
  storedRules: ReadyRuleSet<Compiled> | undefined;
  /** Why the changelog's rule set cannot be compiled. */
  storedRulesError: unknown;
  /** The position that was found; undefined on a partition that nobody has begun. */
  stored: Position | undefined;
  /** Where to fetch. */
  position: number;
  clusterId: string;
  topicId: string;
  /** Frees readers and writer; leaves an open transaction to the successor's T1. */
  close(): Promise<void>;
}

/** What T2 found. */
interface Restored<State> {
  state: State;
  records: LoopRecords;
}

type Context<State, Compiled> = ProcessorContext<State, Compiled>;

/**
 * A restore that took longer is thrown away: half the time that the changelog keeps its tombstones. A value that was read
 * early could otherwise stay, because its tombstone was gone when the reader got there.
 */
const RESTORE_MS_MAX = 30 * 60_000;

async function restore<State, Compiled>(
  context: Context<State, Compiled>,
  options: { reader: Reader; view: PartitionView; signal: AbortSignal },
): Promise<Restored<State>> {
  const { core, settings, clock, log, topics } = context;
  const { reader, view, signal } = options;
  const { partition } = view;
  const { start, end } = await settledEnd(context, partition, signal);
  const beganMs = clock.now();
  let loggedMs = beganMs;
  view.state = "restoring";
  log.info("restore_began", { partition, from: String(start), to: String(end) });
  const { dedupIdsMax, accountsMax, compression } = settings;
  const state = core.createPartitionState({ dedupIdsMax, accountsMax, compression });
  const records = await readChangelog(context, {
    reader,
    partition,
    from: start,
    to: end,
    signal,
    onProgress: (progress) => {
      view.restoredRecords = progress.records;
      view.restoredShare = progress.share;
      if (clock.now() - loggedMs < 1000) return;
      loggedMs = clock.now();
      log.info("restore_progress", { partition, ...progress });
    },
  }, (key, value) => core.restoreState(state, key, value));
  const ms = clock.now() - beganMs;
  if (ms > RESTORE_MS_MAX) {
    throw new NotReadyError(
      `Cannot restore partition ${partition}: it took ${ms} ms, longer than tombstones are sure to last`,
    );
  }
  core.finishRestore(state);
  view.restoredShare = 1;
  log.info("restored", {
    partition,
    topic: topics.state,
    records: view.restoredRecords,
    end: String(end),
    ms,
  });
  return { state, records };
}

function ofPartition(
  offsets: readonly PartitionOffsets[],
  topic: string,
  partition: number,
): PartitionOffsets {
  const found = offsets.find((one) => one.partition === partition);
  if (found !== undefined) return found;
  throw new NotReadyError(
    `Cannot take partition ${partition}: topic "${topic}" has ${offsets.length} partitions`,
  );
}

/** Reads what T3 to T5 compare the position with. */
export async function readFacts(
  context: Pick<Context<never, never>, "broker" | "topics">,
  partition: number,
): Promise<PartitionFacts> {
  const { broker, topics } = context;
  const outputs = [topics.transactions, topics.alerts, topics.deadLetter];
  const [clusterId, infos, raw, ...ends] = await Promise.all([
    broker.clusterId(),
    broker.topics([topics.raw]),
    broker.offsets(topics.raw),
    ...outputs.map((topic) => broker.offsets(topic)),
  ]);
  const info = infos.get(topics.raw);
  if (info === undefined) throw new UnknownTopicError(`Cannot find topic "${topics.raw}"`);
  return {
    topic: topics.raw,
    partition,
    clusterId,
    topicId: info.id,
    raw: ofPartition(raw, topics.raw, partition),
    outputEnds: new Map(
      outputs.map((topic, i) => [topic, ofPartition(ends[i]!, topic, partition).end]),
    ),
  };
}

/** T3 to T5, patient with a stable offset that has not caught up yet after a broker's restart. */
async function checkPosition<State, Compiled>(
  context: Context<State, Compiled>,
  stored: Position | undefined,
  options: { partition: number; signal: AbortSignal },
): Promise<PartitionFacts> {
  const { clock, settings } = context;
  const { partition, signal } = options;
  const deadlineMs = clock.now() + settings.stableWaitMsMax;
  for (;;) {
    const facts = await readFacts(context, partition);
    const gap = findGap(stored, facts);
    if (gap === undefined) return facts;
    if (gap.kind !== "truncated" || clock.now() >= deadlineMs) throw new GapError(gap);
    await clock.sleep(settings.pollMs, signal);
  }
}

/**
 * Takes a partition: T1 to T5. Free what it returns with `close`.
 *
 * @throws {GapError} when the position and the log do not fit together.
 * @throws {NotReadyError} when the changelog does not settle, or a newer program wrote it.
 */
export async function takePartition<State, Compiled>(
  context: Context<State, Compiled>,
  view: PartitionView,
  signal: AbortSignal,
): Promise<TakenPartition<State, Compiled>> {
  const { broker, settings, group, topics } = context;
  const { partition } = view;
  const opened: { close(): Promise<void> }[] = [];
  async function close(): Promise<void> {
    await Promise.allSettled(opened.map((one) => one.close()));
  }
  async function keep<T extends { close(): Promise<void> }>(opening: Promise<T>): Promise<T> {
    const one = await opening;
    opened.push(one);
    return one;
  }
  try {
    // T1: from here on nobody else can append to this partition of the changelog.
    const id = transactionalIdOf(group, topics.raw, partition);
    const { transactionTimeoutMs } = settings;
    const writer = await keep(broker.openTransactionalWriter(id, { transactionTimeoutMs }));
    // T2, by a reader of its own: the memory of the largest answer goes with it.
    const reader = await keep(broker.openReader());
    const { state, records } = await restore(context, { reader, view, signal });
    await reader.close();
    const readers = [await keep(broker.openReader()), await keep(broker.openReader())] as const;
    const history = new RuleHistory(records);
    const { storedRules, storedRulesError } = compileStored(context, history.inForce, partition);
    // T3, T4, T5
    const stored = records.position;
    const facts = await checkPosition(context, stored, { partition, signal });
    const { clusterId, topicId, raw } = facts;
    const position = stored?.next ?? raw.start;
    Object.assign(view, { position, stable: raw.stable });
    return {
      partition,
      writer,
      readers,
      state,
      history,
      storedRules,
      storedRulesError,
      stored,
      position,
      clusterId,
      topicId,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The changelog's set, unless a program of another version wrote rules that this one does not know. */
function compileStored<State, Compiled>(
  context: Context<State, Compiled>,
  record: RuleSetRecord | undefined,
  partition: number,
): Pick<TakenPartition<State, Compiled>, "storedRules" | "storedRulesError"> {
  if (record === undefined) return { storedRules: undefined, storedRulesError: undefined };
  try {
    return { storedRules: context.core.compileStored(record), storedRulesError: undefined };
  } catch (error) {
    const { rulesVersion } = record;
    context.log.warn("stored_rules_unusable", { partition, rules_version: rulesVersion, error });
    return { storedRules: undefined, storedRulesError: error };
  }
}

/** Reads the loop's records of a partition without taking it: for tasks that only look. */
export async function readLoopRecords(
  context: Pick<Context<never, never>, "broker" | "topics" | "settings" | "clock" | "group">,
  options: { reader: Reader; partition: number; signal: AbortSignal },
): Promise<LoopRecords> {
  const { start, end } = await settledEnd(context, options.partition, options.signal);
  const records = createLoopRecords();
  return await readChangelog(context, { ...options, from: start, to: end }, () => {}, records);
}
