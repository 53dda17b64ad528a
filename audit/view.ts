/**
 * Fixes what an audit looks at while the pipeline runs. The order matters:
 *
 *  1. the tables' snapshots: what they hold came from records that were in the topics by then
 *  2. the changelog's committed positions: the cut; every output of a raw record before it is committed
 *  3. the ends of all topics: outputs are read up to there, and nothing of what the cut asks for is later
 */
import type { Broker, PartitionOffsets } from "../broker/port.ts";
import { NotReadyError } from "../contracts/errors.ts";
import type { TopicNames } from "../contracts/topics.ts";
import type { Catalog } from "../iceberg/catalog/port.ts";
import { ChangelogView } from "./changelog_view.ts";
import { AUDITED_TABLES, type AuditedTable } from "./facts.ts";
import { type TableView, viewTable } from "./table_files.ts";
import { type LogIdentity, type TableHistory, tableHistory } from "./table_history.ts";
import { type OnProgress, type TopicReader, valueOf } from "./topic_reader.ts";

/** Topic of each audited table. */
export const TOPIC_OF: Readonly<Record<AuditedTable, "transactions" | "deadLetter" | "alerts">> = {
  transactions: "transactions",
  dead_letters: "deadLetter",
  alerts: "alerts",
};

/** One partition as it is looked at. */
export interface PartitionView {
  partition: number;
  changelog: ChangelogView;
  /** First raw offset that is looked at. */
  start: number;
  /** First raw offset that is still there. */
  logStart: number;
  /** Next raw offset to be judged. */
  position: number;
  /** Where the raw log was readable to. */
  end: number;
  /** Where the changelog ended at the cut. */
  stateEnd: number;
  /** Ends of the outputs after the cut, and their starts. */
  outputs: Readonly<Record<"transactions" | "deadLetter" | "alerts", PartitionOffsets>>;
}

/** Everything that is looked at. */
export interface AuditView {
  clusterId: string;
  rawTopicId: string;
  partitions: readonly PartitionView[];
  tables: ReadonlyMap<string, TableView | undefined>;
  histories: ReadonlyMap<AuditedTable, TableHistory>;
}

/** What a view is fixed of. */
export interface ViewSources {
  broker: Broker;
  reader: TopicReader;
  catalog: Catalog;
  topics: TopicNames;
  namespace: string;
  /** Every table whose files are examined. */
  tableNames: readonly string[];
  /** Look only at raw records from this Kafka timestamp on, ms. */
  sinceMs: number | undefined;
}

/** Fixes the view. @throws {NotReadyError} if a topic is not there */
export async function fixView(sources: ViewSources, onProgress: OnProgress): Promise<AuditView> {
  const { broker, reader, catalog, topics, namespace } = sources;
  const names = [topics.raw, topics.transactions, topics.deadLetter, topics.alerts, topics.state];
  const infos = await broker.topics(names);
  for (const name of names) {
    if (!infos.has(name)) throw new NotReadyError(`Cannot audit: there is no topic "${name}"`);
  }
  // 1. Tables.
  const tables = new Map<string, TableView | undefined>();
  for (const name of sources.tableNames) {
    tables.set(name, await viewTable(catalog, namespace, name));
  }
  // 2. Positions.
  const rawStarts = await reader.offsets(topics.raw);
  const stateEnds = await reader.offsets(topics.state);
  const changelogs: ChangelogView[] = [];
  for (const { partition } of rawStarts) {
    const log = stateEnds.find((one) => one.partition === partition);
    const view = new ChangelogView();
    if (log !== undefined) {
      await readChangelog(reader, view, { ...rangeOf(topics.state, log), onProgress });
    }
    changelogs.push(view);
  }
  // 3. Ends.
  const raw = await reader.offsets(topics.raw);
  const ends = {
    transactions: await reader.offsets(topics.transactions),
    deadLetter: await reader.offsets(topics.deadLetter),
    alerts: await reader.offsets(topics.alerts),
  };
  const clusterId = await broker.clusterId();
  const partitions: PartitionView[] = [];
  for (const log of raw) {
    const start = await startOf(sources, log);
    const changelog = changelogs[log.partition]!;
    partitions.push({
      partition: log.partition,
      changelog,
      start,
      logStart: log.start,
      position: changelog.position?.next ?? log.start,
      end: log.stable,
      stateEnd: stateEnds.find((one) => one.partition === log.partition)?.end ?? 0,
      outputs: {
        transactions: ofPartition(ends.transactions, log.partition),
        deadLetter: ofPartition(ends.deadLetter, log.partition),
        alerts: ofPartition(ends.alerts, log.partition),
      },
    });
  }
  const histories = new Map<AuditedTable, TableHistory>();
  for (const table of AUDITED_TABLES) {
    const view = tables.get(table);
    const topic = topics[TOPIC_OF[table]];
    const log: LogIdentity = { cluster: clusterId, topic, topicId: infos.get(topic)!.id };
    if (view !== undefined) histories.set(table, tableHistory(view.metadata, log));
  }
  return { clusterId, rawTopicId: infos.get(topics.raw)!.id, partitions, tables, histories };
}

function rangeOf(topic: string, { partition, start, end }: PartitionOffsets) {
  return { topic, partition, from: start, to: end };
}

function ofPartition(offsets: readonly PartitionOffsets[], partition: number): PartitionOffsets {
  // An output with fewer partitions than the raw topic has nothing in the others.
  return offsets.find((one) => one.partition === partition) ??
    { partition, start: 0, stable: 0, end: 0 };
}

async function startOf(
  { reader, topics, sinceMs }: ViewSources,
  log: PartitionOffsets,
): Promise<number> {
  if (sinceMs === undefined) return log.start;
  const range = { topic: topics.raw, partition: log.partition, from: log.start, to: log.stable };
  return await reader.search(range, (records, index) => records.timestamps[index]! >= sinceMs);
}

async function readChangelog(
  reader: TopicReader,
  view: ChangelogView,
  range: { topic: string; partition: number; from: number; to: number; onProgress?: OnProgress },
): Promise<void> {
  for await (const batch of reader.batches(range, range.onProgress)) {
    for (let index = 0; index < batch.count; index++) {
      const start = batch.keyStart[index]!;
      if (start < 0) continue;
      view.take(batch.bytes.subarray(start, batch.keyEnd[index]!), valueOf(batch, index));
    }
  }
}

/** Where the processor stands by now: positions after the outputs were read. */
export async function positionsAfter(
  reader: TopicReader,
  stateTopic: string,
  view: AuditView,
): Promise<number[]> {
  const logs = await reader.offsets(stateTopic);
  const positions: number[] = [];
  for (const { partition, position, stateEnd } of view.partitions) {
    const log = logs.find((one) => one.partition === partition);
    const changelog = new ChangelogView();
    if (log !== undefined) {
      const from = Math.max(stateEnd, log.start);
      await readChangelog(reader, changelog, { ...rangeOf(stateTopic, log), from });
    }
    positions.push(changelog.position?.next ?? position);
  }
  return positions;
}
