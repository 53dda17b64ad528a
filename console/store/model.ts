/** What the console knows about the pipeline: everything in it was said by some part of the pipeline. */
import type { Alert } from "../../contracts/alert.ts";
import type { DeadLetter } from "../../contracts/dead_letter.ts";
import type { ConfigIssue } from "../../contracts/errors.ts";
import type { GeneratorConfig } from "../../contracts/generator_config.ts";
import type { ServiceName, StageName } from "../../contracts/services.ts";
import type { PipelineStatus, StageStatus } from "../../contracts/status.ts";
import type { RuleDefinition } from "../../rules/rule_type.ts";
import { emptyFeed, type Feed } from "./feed.ts";
import { EMPTY_HISTORY, type History } from "./series.ts";

/** Alerts, dead letters and log lines kept. */
export const FEED_ITEMS_MAX = 2000;

/** An alert as it was read from its topic. */
export interface AlertItem {
  /** Unique in this console, whatever the pipeline was purged of meanwhile. */
  id: string;
  /** Sequence of arrival in this console. */
  seq: number;
  /** Broker's time of the record, ms. */
  atMs: number;
  trace: string;
  alert: Alert;
}

/** A dead letter as it was read from its topic. */
export interface DeadLetterItem {
  id: string;
  seq: number;
  atMs: number;
  letter: DeadLetter;
}

/** A line of a log. */
export interface LogItem {
  id: string;
  seq: number;
  atMs: number;
  /** debug, info, warn, error; `info` where a line does not say. */
  level: string;
  component: string;
  event: string;
  /** The other fields, or the whole line where it is not JSON. */
  fields: Readonly<Record<string, unknown>>;
}

/** One partition of a topic. */
export interface PartitionView {
  topic: string;
  partition: number;
  start: number;
  stable: number;
  end: number;
  /** Records at the end per second, over the last 10 s. */
  rate: number;
  /** Since when the stable offset has not moved although the end lies beyond it: an open transaction. */
  openSinceMs?: number;
  /** Where each group stands; -1 where it has no offset. */
  committed: Readonly<Record<string, number>>;
}

/** A consumer group. */
export interface GroupView {
  group: string;
  state: string;
  /** Names of the members, with the host where the broker knows one. */
  members: readonly string[];
}

/** One commit of a table. */
export interface CommitView {
  /** As text: 64 bits. */
  snapshotId: string;
  atMs: number;
  operation: string;
  addedRows: number;
  addedFiles: number;
  addedBytes: number;
  removedFiles: number;
  /** From the sink's log, where it was seen. */
  tookMs?: number;
}

/** An Iceberg table. */
export interface TableView {
  name: string;
  location: string;
  snapshotId: string | null;
  atMs?: number;
  rows: number;
  files: number;
  bytes: number;
  snapshots: number;
  tags: number;
  schemaColumns: number;
  /** Newest first. */
  commits: readonly CommitView[];
  /** Next offsets that the snapshot summary holds: topic, partition, offset. */
  consumed: readonly { topic: string; partition: number; next: number }[];
}

/** A settings file of this console's folder. */
export interface FileView<T> {
  path: string;
  text: string;
  value: T | undefined;
  issues: readonly ConfigIssue[];
}

/** How often a rule fired while the console looked. */
export interface Fired {
  total: number;
  lastMs: number;
  /** Count by second, of the last minute. */
  seconds: readonly (readonly [second: number, count: number])[];
}

/** A change that was written to a file and waits for the stage that has to take it. */
export interface PendingEdit {
  id: number;
  what: string;
  stage: StageName;
  wroteAtMs: number;
  /** What the stage says once it has it. */
  expect: { rulesVersionNot?: string; rate?: number | "max"; paused?: boolean };
  state: "waiting" | "confirmed" | "refused";
  /** When the stage said so; or why it did not. */
  answer?: string;
  tookMs?: number;
}

/** A `deno task` verb that runs or ran. */
export interface VerbRun {
  words: readonly string[];
  lines: readonly string[];
  startedMs: number;
  endedMs?: number;
  code?: number;
}

/** Records counted one by one since the console attached. */
export interface Conservation {
  /** Records read off the raw topic. */
  raw: number;
  /** Of these, records found in transactions or dead-letter. */
  processed: number;
  /** Of these, dead letters. */
  dead: number;
  /** Of these, transactions below the table's committed offsets. */
  inTable: number;
  /** Raw records below the processor's settled position without a record in either output. */
  missing: number;
  /** Outputs that no raw record asked for, or asked for once and came twice. */
  surplus: number;
  /** Transactions in the topic below the table's committed offsets. */
  consumed: number;
  /** Rows that the table gained. */
  stored: number;
  /** Why nothing is counted, where nothing is. */
  paused?: string;
}

/** Everything known. */
export interface Model {
  attachedAtMs: number;
  status?: { document: PipelineStatus; stages: readonly StageStatus[]; atMs: number };
  statusError?: { message: string; sinceMs: number };
  history: History;
  /** Since when a service is not running, or not ready. */
  downSince: Partial<Record<ServiceName, number>>;
  /** It answered at least once. */
  everUp: boolean;
  alerts: Feed<AlertItem>;
  deadLetters: Feed<DeadLetterItem>;
  logs: Feed<LogItem>;
  fired: Readonly<Record<string, Fired>>;
  partitions: readonly PartitionView[];
  groups: readonly GroupView[];
  brokerError?: { message: string; sinceMs: number };
  tables: readonly TableView[];
  tablesAtMs?: number;
  tablesError?: { message: string; sinceMs: number };
  /** Duration of commits by snapshot id, from the sink's log. */
  commitMs: ReadonlyMap<string, number>;
  rules?: FileView<readonly RuleDefinition[]>;
  /** Valid texts of the rule file that were replaced while the console looked, newest last. */
  rulesBefore: readonly string[];
  generator?: FileView<GeneratorConfig>;
  edits: readonly PendingEdit[];
  verb?: VerbRun;
  conservation?: Conservation;
}

/** Nothing known yet. */
export function emptyModel(nowMs: number): Model {
  return {
    attachedAtMs: nowMs,
    history: EMPTY_HISTORY,
    downSince: {},
    everUp: false,
    alerts: emptyFeed(FEED_ITEMS_MAX),
    deadLetters: emptyFeed(FEED_ITEMS_MAX),
    logs: emptyFeed(FEED_ITEMS_MAX),
    fired: {},
    partitions: [],
    groups: [],
    tables: [],
    commitMs: new Map(),
    rulesBefore: [],
    edits: [],
  };
}
