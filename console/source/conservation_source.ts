/** Feeds the conservation counter from the topics and the table themselves. */
import type { Broker, Reader, RecordBatch } from "../../broker/port.ts";
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
    rows: view.rows,
    next: new Map(consumed.map(({ partition, next }) => [partition, next])),
    ours: current === undefined || current.summary[OFFSETS_PROPERTY] !== undefined,
  };
}

async function endsOf(broker: Broker, topic: string): Promise<Map<number, number>> {
  return new Map((await broker.offsets(topic)).map(({ partition, end }) => [partition, end]));
}

/** Where counting begins. Outputs before raw, so that no output of a counted record can be missed. */
async function begin(
  broker: Broker,
  { catalog, counter, topics }: {
    catalog: Catalog;
    counter: ConservationCounter;
    topics: ConsolePorts["topics"];
  },
): Promise<Place[]> {
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
  return places;
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

/** Runs until the signal aborts. */
export async function watchConservation(
  ports: ConsolePorts,
  emit: (fact: Fact) => void,
  signal: AbortSignal,
): Promise<void> {
  const { topics, groups, openBroker } = ports;
  const catalog = ports.openCatalog();
  const counter = new ConservationCounter();
  let places: Place[] | undefined;

  /**
   * 1. what the processor has settled, 2. the ends of its outputs after that, 3. wait until all was read up
   * to there, 4. settle, 5. the table.
   */
  async function look(broker: Broker, known: Place[]): Promise<void> {
    const settled = await broker.groupOffsets(groups.processor, topics.raw);
    const ends = new Map([
      [topics.transactions, await endsOf(broker, topics.transactions)],
      [topics.deadLetter, await endsOf(broker, topics.deadLetter)],
    ]);
    await pause(LOOK_MS, signal);
    for (const { partition, offset } of settled) {
      const read = known.every((place) => {
        if (place.partition !== partition) return true;
        const wanted = place.topic === topics.raw ? offset : ends.get(place.topic)?.get(partition);
        return place.next >= (wanted ?? 0);
      });
      if (read) counter.settle(partition, offset);
    }
    const table = await readTable(catalog, topics.transactions);
    // Rows are only comparable once everything below the committed offsets was read.
    const readable = known.every((place) =>
      place.topic !== topics.transactions || place.next >= (table.next.get(place.partition) ?? 0)
    );
    if (!table.ours) counter.pause("not counted: another writer changed finance.transactions");
    else if (readable) counter.table(table.rows, table.next);
    emit({ type: "conservation", counts: counter.counts() });
  }

  while (!signal.aborted) {
    const broker = openBroker();
    const round = new AbortController();
    const both = AbortSignal.any([signal, round.signal]);
    let walks: Promise<void>[] = [];
    try {
      places ??= await begin(broker, { catalog, counter, topics });
      const known = places;
      const reader = await broker.openReader({ isolation: "committed" });
      walks = known.map((place) => walk(reader, place, both));
      // A walk only ends by the signal or by a failure, which is thrown at the next look.
      const failure: { error?: unknown } = {};
      walks.forEach((one) => one.catch((error) => failure.error ??= error));
      both.addEventListener("abort", () => void reader.close(), { once: true });
      while (!signal.aborted && counter.counts().paused === undefined) {
        await look(broker, known);
        if (failure.error !== undefined) throw failure.error;
      }
      if (counter.counts().paused !== undefined) return;
    } catch {
      // The streams and tables sources say what does not answer; counting goes on where it was.
    } finally {
      round.abort();
      await Promise.allSettled(walks);
      await broker.close().catch(() => {});
    }
    await pause(RETRY_MS, signal);
  }
}
