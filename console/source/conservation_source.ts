/** Feeds the conservation counter from the topics and the table themselves. */
import type { Broker, Reader, RecordBatch } from "../../broker/port.ts";
import { OffsetOutOfRangeError } from "../../broker/port.ts";
import type { Catalog } from "../../iceberg/catalog/port.ts";
import { NAMESPACE } from "../../contracts/services.ts";
import { OFFSETS_PROPERTY } from "../../contracts/tables.ts";
import type { ConsolePorts } from "../ports.ts";
import type { Fact } from "../store/facts.ts";
import { ConservationCounter, type OutputRecords } from "./conservation.ts";
import { pause } from "./poll.ts";
import { tableView } from "./table_source.ts";

const FETCH_WAIT_MS = 1000;
const FETCH_BYTES_MAX = 1024 * 1024;
const LOOK_MS = 3000;
/** An answer with fewer records is followed by a pause. */
const FEW_RECORDS = 1000;
const IDLE_MS = 1500;
const RETRY_MS = 2000;

const utf8 = new TextDecoder();

/** Offset at the end of a trace, `topic/partition/offset`. */
export function traceOffset(trace: string): number {
  return Number(trace.slice(trace.lastIndexOf("/") + 1));
}

function outputsOf(records: RecordBatch): OutputRecords {
  const traces = Array.from({ length: records.count }, (_, index) => {
    const trace = records.header(index, "trace");
    return trace === undefined ? NaN : traceOffset(utf8.decode(trace));
  });
  return { offsets: records.offsets.subarray(0, records.count), traces };
}

interface Place {
  topic: string;
  partition: number;
  /** Next offset to read. */
  next: number;
  take: (records: RecordBatch) => void;
}

interface Table {
  uuid: string;
  rows: number;
  next: ReadonlyMap<number, number>;
  /** False where another writer made the newest snapshot. */
  ours: boolean;
}

async function readTable(catalog: Catalog, topic: string): Promise<Table> {
  const ident = { namespace: [NAMESPACE], name: "transactions" };
  const { metadata } = await catalog.loadTable(ident);
  const view = tableView("transactions", metadata);
  const current = metadata.snapshots.find((one) => String(one["snapshot-id"]) === view.snapshotId);
  const consumed = view.consumed.filter((one) => one.topic === topic);
  return {
    uuid: metadata["table-uuid"],
    rows: view.rows,
    next: new Map(consumed.map(({ partition, next }) => [partition, next])),
    ours: current === undefined || current.summary[OFFSETS_PROPERTY] !== undefined,
  };
}

async function endsOf(broker: Broker, topic: string): Promise<Map<number, number>> {
  return new Map((await broker.offsets(topic)).map(({ partition, end }) => [partition, end]));
}

interface World {
  broker: Broker;
  catalog: Catalog;
  topics: ConsolePorts["topics"];
}

/** What is counted, since when, and of which pipeline. */
interface Count {
  counter: ConservationCounter;
  places: readonly Place[];
  topicIds: string;
  tableUuid: string;
}

async function topicIdsOf(broker: Broker, topics: ConsolePorts["topics"]): Promise<string> {
  const names = [topics.raw, topics.transactions, topics.deadLetter];
  const known = await broker.topics(names);
  return names.map((name) => known.get(name)?.id).join();
}

/** Where counting begins. Outputs before raw, so that no output of a counted record can be missed. */
async function begin({ broker, catalog, topics }: World): Promise<Count> {
  const counter = new ConservationCounter();
  const topicIds = await topicIdsOf(broker, topics);
  const table = await readTable(catalog, topics.transactions);
  const dead = await endsOf(broker, topics.deadLetter);
  const transactions = await broker.offsets(topics.transactions);
  const raw = await endsOf(broker, topics.raw);
  const starts = new Map(transactions.map(({ partition, start }) => [partition, start]));
  const places = [...raw].flatMap(([partition, from]): Place[] => {
    counter.begin(partition, from);
    return [
      {
        topic: topics.raw,
        partition,
        next: from,
        take: (records) => counter.raw(partition, records.offsets.subarray(0, records.count)),
      },
      {
        topic: topics.transactions,
        partition,
        next: table.next.get(partition) ?? starts.get(partition) ?? 0,
        take: (records) => counter.transactions(partition, outputsOf(records)),
      },
      {
        topic: topics.deadLetter,
        partition,
        next: dead.get(partition) ?? 0,
        take: (records) => counter.deadLetters(partition, outputsOf(records)),
      },
    ];
  });
  counter.table(table.rows, table.next);
  return { counter, places, topicIds, tableUuid: table.uuid };
}

async function walk(reader: Reader, place: Place, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const fetched = await reader.fetch(place.topic, place.partition, {
      offset: place.next,
      waitMsMax: FETCH_WAIT_MS,
      bytesMax: FETCH_BYTES_MAX,
      signal,
    });
    if (signal.aborted) return;
    place.take(fetched.records);
    place.next = fetched.nextOffset;
    // Counts are looked at every few seconds: a trickle is not worth a request per record.
    if (fetched.records.count < FEW_RECORDS) await pause(IDLE_MS, signal);
  }
}

/** Whether topics and table are still those that are counted: a purge, for one, makes them anew. */
async function isOf({ broker, catalog, topics }: World, count: Count): Promise<boolean> {
  if (await topicIdsOf(broker, topics) !== count.topicIds) return false;
  return (await readTable(catalog, topics.transactions)).uuid === count.tableUuid;
}

/**
 * 1. what the processor has settled, 2. the ends of its outputs after that, 3. wait until all was read up
 * to there, 4. settle, 5. the table.
 */
async function look(
  { broker, catalog, topics }: World,
  { counter, places, tableUuid }: Count,
  { group, signal }: { group: string; signal: AbortSignal },
): Promise<void> {
  const settled = await broker.groupOffsets(group, topics.raw);
  const ends = new Map([
    [topics.transactions, await endsOf(broker, topics.transactions)],
    [topics.deadLetter, await endsOf(broker, topics.deadLetter)],
  ]);
  await pause(LOOK_MS, signal);
  for (const { partition, offset } of settled) {
    const read = places.every((place) => {
      if (place.partition !== partition) return true;
      const wanted = place.topic === topics.raw ? offset : ends.get(place.topic)?.get(partition);
      return place.next >= (wanted ?? 0);
    });
    if (read) counter.settle(partition, offset);
  }
  const table = await readTable(catalog, topics.transactions);
  if (table.uuid !== tableUuid) throw new Error("Cannot go on counting: the table was made anew");
  // Rows are only comparable once everything below the committed offsets was read.
  const readable = places.every((place) =>
    place.topic !== topics.transactions || place.next >= (table.next.get(place.partition) ?? 0)
  );
  if (!table.ours) counter.pause("not counted: another writer changed finance.transactions");
  else if (readable) counter.table(table.rows, table.next);
}

/** Runs until the signal aborts. */
export async function watchConservation(
  ports: ConsolePorts,
  emit: (fact: Fact) => void,
  signal: AbortSignal,
): Promise<void> {
  const { topics, groups, openBroker } = ports;
  const catalog = ports.openCatalog();
  let count: Count | undefined;

  /** Counts until something fails, or counting makes no sense any more. */
  async function round(world: World, { counter, places }: Count, end: AbortSignal): Promise<void> {
    const reader = await world.broker.openReader({ isolation: "committed" });
    end.addEventListener("abort", () => void reader.close(), { once: true });
    // A walk only ends by the signal or by a failure, which is thrown at the next look.
    const failure: { error?: unknown } = {};
    for (const place of places) {
      walk(reader, place, end).catch((error) => failure.error ??= error);
    }
    while (!signal.aborted && counter.counts().paused === undefined) {
      await look(world, count!, { group: groups.processor, signal });
      if (failure.error !== undefined) throw failure.error;
      emit({ type: "conservation", counts: counter.counts() });
    }
  }

  while (!signal.aborted) {
    const broker = openBroker();
    const world: World = { broker, catalog, topics };
    const ended = new AbortController();
    try {
      if (count !== undefined && !await isOf(world, count)) count = undefined;
      count ??= await begin(world);
      if (count.counter.counts().paused === undefined) {
        await round(world, count, AbortSignal.any([signal, ended.signal]));
      }
    } catch (error) {
      // The streams and tables sources say what does not answer; counting goes on where it was.
      if (error instanceof OffsetOutOfRangeError && count !== undefined) {
        count.counter.pause(`not counted: ${error.topic}/${error.partition} has lost records`);
        emit({ type: "conservation", counts: count.counter.counts() });
      }
    } finally {
      ended.abort();
      await broker.close().catch(() => {});
    }
    await pause(RETRY_MS, signal);
  }
}
