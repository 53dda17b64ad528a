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
import { type TopicRange, type TopicReader, valueOf } from "./topic_reader.ts";

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
export async function fixView(sources: ViewSources): Promise<AuditView> {
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
  const changelogs = await readChangelogs(reader, topics);
  // 3. Ends.
  const partitions = await cutPartitions(sources, changelogs);
  const clusterId = await broker.clusterId();
  const histories = new Map<AuditedTable, TableHistory>();
  for (const table of AUDITED_TABLES) {
    const view = tables.get(table);
    const topic = topics[TOPIC_OF[table]];
    const log: LogIdentity = { cluster: clusterId, topic, topicId: infos.get(topic)!.id };
    if (view !== undefined) histories.set(table, tableHistory(view.metadata, log));
  }
  return { clusterId, rawTopicId: infos.get(topics.raw)!.id, partitions, tables, histories };
}

/** The changelog of one partition, as far as it went. */
interface ReadChangelog {
  changelog: ChangelogView;
  stateEnd: number;
}

/** By partition of the raw topic. */
async function readChangelogs(
  reader: TopicReader,
  topics: TopicNames,
): Promise<Map<number, ReadChangelog>> {
  const raw = await reader.offsets(topics.raw);
  const ends = await reader.offsets(topics.state);
  const read = new Map<number, ReadChangelog>();
  for (const { partition } of raw) {
    const log = ends.find((one) => one.partition === partition);
    const changelog = new ChangelogView();
    if (log !== undefined) await readChangelog(reader, changelog, rangeOf(topics.state, log));
    read.set(partition, { changelog, stateEnd: log?.end ?? 0 });
  }
  return read;
}

async function cutPartitions(
  sources: ViewSources,
  changelogs: ReadonlyMap<number, ReadChangelog>,
): Promise<PartitionView[]> {
  const { reader, topics } = sources;
  const raw = await reader.offsets(topics.raw);
  const transactions = await reader.offsets(topics.transactions);
  const deadLetter = await reader.offsets(topics.deadLetter);
  const alerts = await reader.offsets(topics.alerts);
  const partitions: PartitionView[] = [];
  for (const log of raw) {
    const { partition } = log;
    const known = changelogs.get(partition);
    if (known === undefined) continue; // the topic has grown just now
    const { changelog, stateEnd } = known;
    partitions.push({
      partition,
      changelog,
      start: await startOf(sources, log),
      logStart: log.start,
      position: changelog.position?.next ?? log.start,
      end: log.stable,
      stateEnd,
      outputs: {
        transactions: ofPartition(transactions, partition),
        deadLetter: ofPartition(deadLetter, partition),
        alerts: ofPartition(alerts, partition),
      },
    });
  }
  return partitions;
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
  range: TopicRange,
): Promise<void> {
  for await (const batch of reader.batches(range)) {
    for (let index = 0; index < batch.count; index++) {
      const start = batch.keyStart[index]!;
      if (start < 0) continue;
      view.take(batch.bytes.subarray(start, batch.keyEnd[index]!), valueOf(batch, index));
    }
  }
}

/** Where the processor stands by now: the position of a partition after its outputs were read. */
export async function positionAfter(
  reader: TopicReader,
  stateTopic: string,
  { partition, position, stateEnd }: PartitionView,
): Promise<number> {
  const log = (await reader.offsets(stateTopic)).find((one) => one.partition === partition);
  if (log === undefined) return position;
  const changelog = new ChangelogView();
  const from = Math.max(stateEnd, log.start);
  await readChangelog(reader, changelog, { ...rangeOf(stateTopic, log), from });
  return changelog.position?.next ?? position;
}
