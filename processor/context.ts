/** What every part of the processor is given: ports, settings, and who watches. */
import type { Compression } from "../broker/packing.ts";
import type { Broker } from "../broker/port.ts";
import type { ConfigIssue } from "../contracts/errors.ts";
import type { PipelineConfig } from "../contracts/pipeline_config.ts";
import type { PartitionStatus } from "../contracts/status.ts";
import type { TopicNames } from "../contracts/topics.ts";
import type { Logger } from "../runtime/log.ts";
import type { ProcessorCore, ReadyRuleSet, StepResult } from "./step_types.ts";

/** Time as an argument: simulations bring their own (conventions C15). */
export interface Clock {
  /** ms since the epoch. */
  now(): number;
  /** Rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Limits and waits, all in ms, bytes or counts as named. */
export interface ProcessorSettings {
  batchMsMin: number;
  fetchBytesMax: number;
  /** Output bytes that end a unit of several fetches. */
  unitBytesMax: number;
  /** How long a unit gathers fetches, at most. */
  unitMsMax: number;
  recordBytesMax: number;
  transactionTimeoutMs: number;
  dedupIdsMax: number;
  accountsMax: number;
  /** How outputs are packed. @default {"none"} */
  compression?: Compression;
  /** How long a fetch waits for the first record. */
  fetchWaitMsMax: number;
  /** T2: how long an open transaction of somebody else may hold the changelog up. */
  stableWaitMsMax: number;
  /** E3: how long no other session may have moved the position before it is taken again. */
  quietMs: number;
  /** How often waits look again. */
  pollMs: number;
  /** E2: first and longest wait. */
  backoffMsMin: number;
  backoffMsMax: number;
  /** How often the group offsets are mirrored, and an idle position is made to last. */
  mirrorMs: number;
  /** How often a partition that waits for an operator is looked at from the start again. */
  recheckMs: number;
}

/** Settings that the configuration file does not name. */
export const SETTINGS_DEFAULT = {
  unitMsMax: 500,
  fetchWaitMsMax: 500,
  stableWaitMsMax: 30_000,
  quietMs: 15_000,
  pollMs: 50,
  backoffMsMin: 100,
  backoffMsMax: 5_000,
  mirrorMs: 5_000,
  recheckMs: 30_000,
} as const;

/** The settings that a configuration file asks for. */
export function settingsOf(processor: PipelineConfig["processor"]): ProcessorSettings {
  return {
    ...SETTINGS_DEFAULT,
    batchMsMin: processor.batch_ms_min,
    fetchBytesMax: processor.fetch_bytes_max,
    unitBytesMax: processor.unit_bytes_max,
    recordBytesMax: processor.record_bytes_max,
    transactionTimeoutMs: processor.transaction_timeout_ms,
    dedupIdsMax: processor.dedup_ids_max,
    accountsMax: processor.accounts_max,
    compression: processor.compression,
  };
}

/** The rule file as it stands. */
export interface RuleSource<Compiled> {
  /** The last valid version of the file; undefined while there was none. */
  current(): ReadyRuleSet<Compiled> | undefined;
  /** What is wrong with the file now. */
  issues(): readonly ConfigIssue[];
}

/** A unit of work whose commit was acknowledged. */
export interface CommittedUnit {
  partition: number;
  /** Next raw offset. */
  position: number;
  /** undefined where only a boundary or the position was recorded. */
  result: StepResult | undefined;
  /** Rule set put in force by this unit. */
  appliedRules?: string;
  /** ms from U4 to the acknowledgement. */
  commitMs: number;
  nowMs: number;
}

/** Who watches; must not throw. */
export interface ProcessorObserver {
  committed(unit: CommittedUnit): void;
  /** A partition failed, waits or was fenced; `type` is the error's name. */
  failed(partition: number, type: string, error: unknown): void;
}

/** Everything that the processor needs. */
export interface ProcessorContext<State, Compiled> {
  broker: Broker;
  core: ProcessorCore<State, Compiled>;
  rules: RuleSource<Compiled>;
  topics: TopicNames;
  /** First part of the transactional ids, and the group of the mirror. */
  group: string;
  settings: ProcessorSettings;
  sessionId: string;
  clock: Clock;
  observer: ProcessorObserver;
  log: Logger;
}

/** A partition as /status shows it; the owner of the partition changes it in place. */
export interface PartitionView {
  partition: number;
  state: PartitionState;
  position: number;
  stable: number;
  end: number;
  rulesVersion: string | null;
  reason?: string;
  restoredRecords: number;
  restoredShare: number;
}

/** What a partition is doing. */
export type PartitionState =
  | "taking"
  | "restoring"
  | "running"
  | "waiting"
  | "fenced"
  | "gap"
  | "stopped";

/** A partition that nothing was done with yet. */
export function createPartitionView(partition: number): PartitionView {
  return {
    partition,
    state: "taking",
    position: -1,
    stable: -1,
    end: -1,
    rulesVersion: null,
    restoredRecords: 0,
    restoredShare: 0,
  };
}

/** The view as a status document has it. */
export function printPartitionView(view: PartitionView, topic: string): PartitionStatus {
  return {
    topic,
    partition: view.partition,
    state: view.state,
    position: String(view.position),
    stable: String(view.stable),
    end: String(view.end),
    restored_records: view.restoredRecords,
    restored_share: Number(view.restoredShare.toFixed(3)),
    ...(view.reason === undefined ? {} : { reason: view.reason }),
  };
}

/** The stable transactional id of an input partition. */
export function transactionalIdOf(group: string, topic: string, partition: number): string {
  return `${group}-${topic}-${partition}`;
}
