/** Sends lines into the raw topic, in order, and remembers where they landed. */
import { HEADER_SCHEMA_VERSION } from "../../contracts/headers.ts";
import { SCHEMA_VERSION } from "../../contracts/services.ts";
import {
  type Appended,
  type PartitionBatch,
  UnreachableError,
  type Writer,
} from "../../broker/port.ts";
import { retry } from "../../runtime/retry.ts";
import { placeLine } from "./key.ts";
import type { Line } from "./lines.ts";

/** What a send holds at most. */
const SEND_LINES_MAX = 5_000;
const SEND_BYTES_MAX = 2 * 1024 * 1024;

/** Tries of one send; each has the client's own retries below it. */
const ATTEMPTS_MAX = 4;

const SCHEMA_VERSION_BYTES = new TextEncoder().encode(SCHEMA_VERSION);

/** Options of {@linkcode LineSender}. */
export interface SenderOptions {
  topic: string;
  partitions: number;
  /** Told where lines are, in order of their offsets. */
  onAppended: (appended: Appended) => void;
  signal: AbortSignal;
}

interface Columns {
  keys: (Uint8Array | null)[];
  values: Uint8Array[];
}

/** Gathers lines into sends; while one is under way the next is filled. */
export class LineSender {
  readonly #writer: Writer;
  readonly #options: SenderOptions;
  #columns = new Map<number, Columns>();
  #lines = 0;
  #bytes = 0;
  #underWay: Promise<void> = Promise.resolve();
  /** Lines acknowledged by Kafka. */
  sent = 0;
  /** Lines without an account_id that can be read. */
  keyless = 0;

  constructor(writer: Writer, options: SenderOptions) {
    this.#writer = writer;
    this.#options = options;
  }

  /** Lines given to this sender and not yet acknowledged. */
  get waiting(): number {
    return this.#lines;
  }

  /** Adds a line; sends when there is enough. */
  async push(line: Line): Promise<void> {
    const { key, partition } = placeLine(line, this.#options.partitions);
    if (key === null) this.keyless++;
    let columns = this.#columns.get(partition);
    if (columns === undefined) this.#columns.set(partition, columns = { keys: [], values: [] });
    columns.keys.push(key);
    columns.values.push(line.bytes);
    this.#bytes += line.bytes.length;
    if (++this.#lines >= SEND_LINES_MAX || this.#bytes >= SEND_BYTES_MAX) await this.flush();
  }

  /** Sends what was gathered once the send before it is acknowledged. Throws that one's error. */
  async flush(): Promise<void> {
    if (this.#lines === 0) return;
    const shares = [...this.#columns].map(([partition, { keys, values }]) => ({
      topic: this.#options.topic,
      partition,
      batch: {
        keys,
        values,
        headers: [{ name: HEADER_SCHEMA_VERSION, values: SCHEMA_VERSION_BYTES }],
      },
    }));
    const count = this.#lines;
    this.#columns = new Map();
    this.#lines = 0;
    this.#bytes = 0;
    await this.#underWay;
    this.#underWay = this.#send(shares, count);
    // Its error is thrown by the next flush or by finish(), never as an unhandled one.
    this.#underWay.catch(() => {});
  }

  /** Resolves when every line is acknowledged. */
  async finish(): Promise<void> {
    await this.flush();
    await this.#underWay;
  }

  async #send(shares: PartitionBatch[], count: number): Promise<void> {
    const { onAppended, signal } = this.#options;
    const appended = await retry(() => this.#writer.send(shares), {
      // The same shares through the same session: nothing is doubled.
      when: (error) => error instanceof UnreachableError,
      attemptsMax: ATTEMPTS_MAX,
      initialMs: 500,
      maxMs: 5_000,
      signal,
    });
    for (const place of appended) onAppended(place);
    this.sent += count;
  }
}
