/**
 * zstd (RFC 8878) by the engine behind node:zlib's streams, used again and again. The documented
 * functions make an engine and its output for each call, all of it fresh memory: for a batch of 900 KB
 * that takes as long as packing it and three times as long as unpacking it (docs/decisions/0016).
 *
 * The engine is not documented. So it is looked for and tried before it is used, and where it is not
 * what it was, the documented functions do the work.
 */
import {
  constants,
  createZstdCompress,
  createZstdDecompress,
  zstdCompressSync,
  zstdDecompressSync,
} from "node:zlib";
import { Buffer } from "node:buffer";
import { Arena } from "./arena.ts";

/** What a stream of node:zlib works with. */
interface Handle {
  reset(): void;
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputLength: number,
    output: Uint8Array,
    outputAt: number,
    outputLength: number,
  ): void;
}

interface Stream {
  _handle?: Handle;
  /** After a write: how much of the output is free, how much of the input is left. */
  _writeState?: Uint32Array;
}

/** No state that a write leaves behind: outputs are smaller. */
const UNTOUCHED = 0xffffffff;

/** Packs or unpacks one frame after the other. */
class Engine {
  readonly #handle: Handle;
  readonly #state: Uint32Array;

  /** Throws where the stream has no such engine. */
  constructor(stream: unknown) {
    const { _handle, _writeState } = stream as Stream;
    if (
      typeof _handle?.reset !== "function" || typeof _handle.writeSync !== "function" ||
      !(_writeState instanceof Uint32Array)
    ) throw new TypeError("Cannot use node:zlib's engine: it has another shape");
    this.#handle = _handle;
    this.#state = _writeState;
  }

  /** Forgets the frame before, which may be unfinished. */
  begin(): void {
    this.#handle.reset();
  }

  /** Takes input from `from` on, and puts what comes of it to `output` at `at`. False: it is damaged. */
  write(input: Uint8Array, from: number, output: Uint8Array, at: number): boolean {
    this.#state.fill(UNTOUCHED);
    const { ZSTD_e_end } = constants;
    const [left, room] = [input.length - from, output.length - at];
    this.#handle.writeSync(ZSTD_e_end, input, from, left, output, at, room);
    return this.#state[0] !== UNTOUCHED;
  }

  /** Bytes of output that the last write left free. */
  get free(): number {
    return this.#state[0]!;
  }

  /** Bytes of input that the last write left. */
  get left(): number {
    return this.#state[1]!;
  }
}

/** Largest size that zstd may give to `length` bytes, and a little more (ZSTD_COMPRESSBOUND). */
function packedBytesMax(length: number): number {
  return length + (length >>> 8) + 1024;
}

/** An engine that has shown that it works, or undefined. */
function tried(make: () => Engine, works: (engine: Engine) => boolean): Engine | undefined {
  try {
    const engine = make();
    return works(engine) ? engine : undefined;
  } catch {
    return undefined;
  }
}

const SAMPLES = [1, 2].map((times) =>
  Buffer.from("how vexingly quick daft zebras jump ".repeat(times * 100))
);

/** How zstd packs: see its manual. */
export interface ZstdLevel {
  level: number;
  windowLog: number;
}

/** Packs into memory of its own. */
export class ZstdPacker {
  readonly #params: Record<number, number>;
  readonly #engine: Engine | undefined;
  #output = new Uint8Array(0);

  /** @param engine false: the documented functions, for tests */
  constructor({ level, windowLog }: ZstdLevel, engine = true) {
    const { ZSTD_c_compressionLevel, ZSTD_c_windowLog } = constants;
    this.#params = { [ZSTD_c_compressionLevel]: level, [ZSTD_c_windowLog]: windowLog };
    const make = () => new Engine(createZstdCompress({ params: this.#params }));
    const works = (engine: Engine) =>
      SAMPLES.every((sample) => {
        const packed = this.#pack(engine, sample);
        return packed !== undefined && sample.equals(zstdDecompressSync(packed));
      });
    this.#engine = engine ? tried(make, works) : undefined;
  }

  /** Whether the engine is used. */
  get isReused(): boolean {
    return this.#engine !== undefined;
  }

  #pack(engine: Engine, bytes: Uint8Array): Uint8Array | undefined {
    const room = packedBytesMax(bytes.length);
    if (this.#output.length < room) this.#output = new Uint8Array(room);
    engine.begin();
    if (!engine.write(bytes, 0, this.#output, 0) || engine.left > 0) return undefined;
    return this.#output.subarray(0, this.#output.length - engine.free);
  }

  /** One frame of `bytes`. The next call overwrites it. */
  pack(bytes: Uint8Array): Uint8Array {
    const packed = this.#engine && this.#pack(this.#engine, bytes);
    return packed ?? zstdCompressSync(bytes, { params: this.#params });
  }
}

/** Least room for what a frame unpacks to before the engine is asked. */
const PIECE_BYTES_MIN = 64 * 1024;

/** Unpacks into an arena. */
export class ZstdUnpacker {
  readonly #engine: Engine | undefined;

  /** @param engine false: the documented functions, for tests */
  constructor(engine = true) {
    const works = (engine: Engine) =>
      SAMPLES.every((sample) => {
        const arena = new Arena();
        return this.#unpack(engine, zstdCompressSync(sample), arena, sample.length) &&
          sample.equals(arena.written);
      });
    this.#engine = engine ? tried(() => new Engine(createZstdDecompress()), works) : undefined;
  }

  /** Whether the engine is used. */
  get isReused(): boolean {
    return this.#engine !== undefined;
  }

  /** False where the frame is damaged or larger than `bytesMax`; the arena is then as it was. */
  #unpack(engine: Engine, frame: Uint8Array, into: Arena, bytesMax: number): boolean {
    const start = into.length;
    engine.begin();
    for (let from = 0;;) {
      into.reserve(Math.max(PIECE_BYTES_MIN, frame.length));
      const { bytes } = into;
      if (!engine.write(frame, from, bytes, into.length)) break;
      into.length = bytes.length - engine.free;
      from = frame.length - engine.left;
      if (into.length - start > bytesMax) break;
      // An output that is not full holds all that the input gives.
      if (engine.free > 0) return true;
    }
    into.length = start;
    return false;
  }

  /**
   * Appends what one frame holds to `into`.
   *
   * @throws {Error} node:zlib's, for damaged bytes or more than `bytesMax`; the arena is then as it was.
   */
  unpack(frame: Uint8Array, into: Arena, bytesMax: number): void {
    if (this.#engine !== undefined && this.#unpack(this.#engine, frame, into, bytesMax)) return;
    into.append(zstdDecompressSync(frame, { maxOutputLength: bytesMax }));
  }
}
