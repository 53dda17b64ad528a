/**
 * A TCP connection to a Kafka node that reads whole answers, each into memory that its owner may use again. Fresh memory
 * for every fetch is most of what a fetch costs: its pages have to be mapped, zeroed and collected (measured: 0.7 ns a
 * byte by Node's sockets and kafkajs's joining of their chunks, 0.4 with fresh buffers, 0.1 with one that is kept).
 *
 * In the shape of a Node socket, as far as kafkajs uses one. For addresses; names and TLS stay with Node's
 * sockets, which try every address of a name.
 */
import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";

/** Most answers but fetches are smaller than this, and arrive in one piece. */
const SCRATCH_BYTES = 8 * 1024;
/** Requests are small, but for the records in them; those are not copied. */
const JOINED_BYTES_MAX = 16 * 1024;
const SIZE_BYTES = 4;
/** Kafka's own limit of a message is an int32; anything near it is another protocol's bytes. */
const FRAME_BYTES_MAX = 1024 * 1024 * 1024;

/** Gives memory for an answer of `size` bytes, at least as long. */
export type TakeBuffer = (size: number) => Uint8Array;

/** New memory for every answer: it is the reader's for ever. */
export const freshBuffer: TakeBuffer = (size) => new Uint8Array(size);

/** The same memory for every answer, which is overwritten by the next one. */
export function reusedBuffer(): TakeBuffer {
  let kept = new Uint8Array(0);
  return (size) => {
    // Some room to grow: answers are about as large as was asked for, seldom exactly.
    if (size > kept.length) kept = new Uint8Array(size + (size >>> 3));
    return kept;
  };
}

/** Options of {@linkcode FrameSocket}. */
export interface FrameSocketOptions {
  /** An IP address. */
  host: string;
  port: number;
  keepAlive: boolean;
  take: TakeBuffer;
  onConnect: () => void;
}

/**
 * Emits `data` with one whole answer, its size before it; `end` when the other side closed; `error`. After
 * `destroy` nothing is emitted any more.
 */
export class FrameSocket extends EventEmitter {
  readonly #take: TakeBuffer;
  #connection: Deno.TcpConn | undefined;
  readonly #outgoing: Uint8Array[] = [];
  #writing = false;
  #ending = false;
  #destroyed = false;

  constructor(options: FrameSocketOptions) {
    super();
    this.#take = options.take;
    this.#open(options).catch((error) => this.#fail(error));
  }

  async #open({ host, port, keepAlive, onConnect }: FrameSocketOptions): Promise<void> {
    const connection = await Deno.connect({ hostname: host, port });
    if (this.#destroyed) return connection.close();
    this.#connection = connection;
    connection.setNoDelay(true);
    connection.setKeepAlive(keepAlive);
    this.#startWriting();
    onConnect();
    await this.#read(connection);
    if (!this.#destroyed) this.emit("end");
  }

  /** Reads answers until the other side ends. */
  async #read(connection: Deno.TcpConn): Promise<void> {
    const scratch = new Uint8Array(SCRATCH_BYTES);
    const view = new DataView(scratch.buffer);
    let filled = 0;
    while (!this.#destroyed) {
      const got = await connection.read(scratch.subarray(filled));
      if (got === null) return;
      filled += got;
      let start = 0;
      while (filled - start >= SIZE_BYTES && !this.#destroyed) {
        const size = SIZE_BYTES + view.getInt32(start);
        if (size < 2 * SIZE_BYTES || size > FRAME_BYTES_MAX) {
          throw new RangeError(`Cannot read an answer of ${size - SIZE_BYTES} bytes`);
        }
        const inside = Math.min(size, filled - start);
        // One that will fit may wait in the scratch buffer for its rest.
        if (inside < size && size <= SCRATCH_BYTES) break;
        const frame = this.#take(size);
        frame.set(scratch.subarray(start, start + inside));
        start += inside;
        for (let at = inside; at < size;) {
          const more = await connection.read(frame.subarray(at, size));
          if (more === null) return;
          at += more;
        }
        this.emit("data", Buffer.from(frame.buffer, frame.byteOffset, size));
      }
      scratch.copyWithin(0, start, filled);
      filled -= start;
    }
  }

  /** Queues bytes, which must stay as they are until they are answered. */
  write(bytes: Uint8Array): boolean {
    if (this.#destroyed || this.#ending) return false;
    this.#outgoing.push(bytes);
    if (this.#connection !== undefined) this.#startWriting();
    return true;
  }

  #startWriting(): void {
    if (this.#writing) return;
    this.#writing = true;
    // Not before the pieces of the same request are queued too: small ones go together.
    queueMicrotask(() => void this.#write().catch((error) => this.#fail(error)));
  }

  async #write(): Promise<void> {
    try {
      while (this.#outgoing.length > 0 && this.#connection !== undefined && !this.#destroyed) {
        const piece = this.#nextPiece();
        let at = await this.#connection.write(piece);
        while (at < piece.length) at += await this.#connection.write(piece.subarray(at));
      }
    } finally {
      this.#writing = false;
    }
    if (this.#ending) this.destroy();
  }

  /** The next bytes to be written: a large piece alone, small ones joined. */
  #nextPiece(): Uint8Array {
    const queue = this.#outgoing;
    let count = 0;
    let size = 0;
    while (count < queue.length && size + queue[count]!.length <= JOINED_BYTES_MAX) {
      size += queue[count++]!.length;
    }
    if (count < 2) return queue.shift()!;
    const joined = new Uint8Array(size);
    let at = 0;
    for (const piece of queue.splice(0, count)) {
      joined.set(piece, at);
      at += piece.length;
    }
    return joined;
  }

  /** Closes once everything is written. */
  end(): void {
    this.#ending = true;
    if (!this.#writing) this.destroy();
  }

  /** Closes at once. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#outgoing.length = 0;
    this.#connection?.close();
  }

  /** Lets the program end although the connection is open. */
  unref(): void {
    if (!this.#destroyed) this.#connection?.unref();
  }

  #fail(error: unknown): void {
    // What a closed connection has to say of its reads and writes was our own doing.
    if (this.#destroyed) return;
    this.destroy();
    this.emit("error", error instanceof Error ? error : new Error(String(error)));
  }
}
