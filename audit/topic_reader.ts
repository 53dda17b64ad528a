/** Reads ranges of topics, one fetch ahead, and finds where to begin. */
import type {
  Broker,
  Fetched,
  PartitionOffsets,
  Reader,
  RecordBatch,
  Span,
} from "../broker/port.ts";
import { NotReadyError } from "../contracts/errors.ts";

/** Small: buffers of fetches are given back late, and the broker is near. */
const FETCH_BYTES_MAX = 1024 * 1024;
/** How long a topic may take to become readable up to an end that was seen. */
const STABLE_WAIT_MS_MAX = 30_000;
const POLL_MS = 100;

/** A range of one partition: from (inclusive) to (exclusive). */
export interface TopicRange {
  topic: string;
  partition: number;
  from: number;
  to: number;
}

/** Told of each fetch: how many offsets of the range it covered. */
export type OnProgress = (offsets: number) => void;

/** Two readers in turn, since a fetch stays valid only until its reader fetches again. */
export class TopicReader {
  readonly #readers: readonly [Reader, Reader];
  readonly broker: Broker;

  private constructor(broker: Broker, readers: readonly [Reader, Reader]) {
    this.broker = broker;
    this.#readers = readers;
  }

  /** Opens it; only committed records are seen. */
  static async open(broker: Broker): Promise<TopicReader> {
    return new TopicReader(broker, [await broker.openReader(), await broker.openReader()]);
  }

  /**
   * Every committed record of a range, in order, batch by batch; a batch is valid until the next one.
   *
   * @throws {OffsetOutOfRangeError} if the log begins behind `from` by now
   * @throws {NotReadyError} if it does not become readable to the end: a transaction is open
   */
  async *batches(
    range: TopicRange,
    onProgress: OnProgress = () => {},
  ): AsyncIterable<RecordBatch> {
    const { topic, partition, to } = range;
    let at = range.from;
    if (at >= to) return;
    let turn = 0;
    let waitedSince: number | undefined;
    const fetch = (offset: number) =>
      this.#readers[turn++ % 2]!.fetch(topic, partition, {
        offset,
        bytesMax: FETCH_BYTES_MAX,
        waitMsMax: POLL_MS,
      });
    let pending: Promise<Fetched> | undefined = fetch(at);
    while (pending !== undefined) {
      const fetched: Fetched = await pending;
      const { records, nextOffset, stable } = fetched;
      if (nextOffset > at) waitedSince = undefined;
      else {
        waitedSince ??= Date.now();
        if (Date.now() - waitedSince > STABLE_WAIT_MS_MAX) throw stuck(range, stable);
      }
      pending = nextOffset < to ? fetch(nextOffset) : undefined;
      // Not awaited yet: an error of it must not count as unhandled while the batch is looked at.
      pending?.catch(() => {});
      onProgress(Math.min(nextOffset, to) - at);
      at = nextOffset;
      if (records.count > 0) yield upTo(records, to);
    }
  }

  /** Where each partition of a topic begins and ends. */
  offsets(topic: string): Promise<PartitionOffsets[]> {
    return this.broker.offsets(topic);
  }

  /**
   * The first offset of a range whose record passes, given that all after it do too; `to` if there is none.
   * Looks at some twenty records.
   */
  async search(
    range: TopicRange,
    passes: (records: RecordBatch, index: number) => boolean,
  ): Promise<number> {
    let low = range.from, high = range.to;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const record = await this.first({ ...range, from: middle, to: high });
      if (record === undefined || passes(record.records, record.index)) high = middle;
      else low = record.records.offsets[record.index]! + 1;
    }
    return low;
  }

  /** The first record of a range. */
  async first(range: TopicRange): Promise<{ records: RecordBatch; index: number } | undefined> {
    const { topic, partition, to } = range;
    for (let at = range.from; at < to;) {
      const fetched = await this.#readers[0].fetch(topic, partition, {
        offset: at,
        bytesMax: 64 * 1024,
        waitMsMax: POLL_MS,
      });
      const { records, nextOffset } = fetched;
      if (records.count > 0) return records.offsets[0]! < to ? { records, index: 0 } : undefined;
      if (nextOffset === at && at >= fetched.stable) return undefined;
      at = nextOffset;
    }
    return undefined;
  }

  async close(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.close()));
  }
}

function stuck({ topic, partition, to }: TopicRange, stable: number): NotReadyError {
  return new NotReadyError(
    `Cannot read "${topic}/${partition}" up to offset ${to}: readable up to ${stable} after ${
      STABLE_WAIT_MS_MAX / 1000
    } s; a transaction is open`,
  );
}

/** The records below an offset. */
function upTo(records: RecordBatch, to: number): RecordBatch {
  let { count } = records;
  while (count > 0 && records.offsets[count - 1]! >= to) count--;
  return count === records.count ? records : new Prefix(records, count);
}

/** The first records of a batch, over the same columns. */
class Prefix implements RecordBatch {
  readonly #records: RecordBatch;
  readonly count: number;

  constructor(records: RecordBatch, count: number) {
    this.#records = records;
    this.count = count;
  }

  get bytes(): Uint8Array {
    return this.#records.bytes;
  }
  get offsets(): Float64Array {
    return this.#records.offsets;
  }
  get timestamps(): Float64Array {
    return this.#records.timestamps;
  }
  get keyStart(): Int32Array {
    return this.#records.keyStart;
  }
  get keyEnd(): Int32Array {
    return this.#records.keyEnd;
  }
  get valueStart(): Int32Array {
    return this.#records.valueStart;
  }
  get valueEnd(): Int32Array {
    return this.#records.valueEnd;
  }
  header(index: number, name: string): Uint8Array | undefined {
    return this.#records.header(index, name);
  }
  findHeader(index: number, name: string, span: Span): boolean {
    return this.#records.findHeader(index, name, span);
  }
}

/** Value of a record as a view; null for a tombstone. */
export function valueOf(records: RecordBatch, index: number): Uint8Array | null {
  const start = records.valueStart[index]!;
  return start < 0 ? null : records.bytes.subarray(start, records.valueEnd[index]!);
}
