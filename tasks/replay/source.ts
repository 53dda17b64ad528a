/** The bytes of a recording: a file or standard input, plain or gzip. */
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { MisuseError } from "../../contracts/errors.ts";

/** An input that is open. */
export interface Source {
  /** Bytes, unpacked. Can be read once. */
  chunks: AsyncIterable<Uint8Array>;
  /** Size in bytes as it lies on disk; undefined for standard input. */
  size: number | undefined;
  /** How much of `size` has been read. */
  read(): number;
}

const GZIP_MAGIC = [0x1f, 0x8b];

/**
 * Size of an input in bytes; undefined for standard input.
 *
 * @throws {MisuseError} where it is no file.
 */
export async function sourceSize(path: string): Promise<number | undefined> {
  if (path === "-") return undefined;
  try {
    const { size, isDirectory } = await Deno.stat(path);
    if (isDirectory) throw new MisuseError(`Cannot replay "${path}": it is a folder`);
    return size;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new MisuseError(`Cannot replay "${path}": no such file`, { cause: error });
  }
}

/** Gunzips; several members one after another (as `cat a.gz b.gz` gives) are one stream. */
async function* gunzip(
  path: string,
  packed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const unpacker = createGunzip();
  const input = Readable.from(packed, { objectMode: false });
  input.on("error", (error) => unpacker.destroy(error));
  try {
    for await (const chunk of input.pipe(unpacker)) yield chunk as Uint8Array;
  } catch (error) {
    throw new MisuseError(
      `Cannot unpack "${path}": ${(error as Error).message}; the lines before are sent`,
      { cause: error },
    );
  }
}

/**
 * Opens `path`, `-` for standard input. Gzip is told by its first bytes, not by the name.
 *
 * @throws {MisuseError} where there is no such file.
 */
export async function openSource(path: string): Promise<Source> {
  const size = await sourceSize(path);
  const stream = path === "-" ? Deno.stdin.readable : (await Deno.open(path)).readable;
  const reader = stream.getReader();
  let read = 0;
  async function* rest(first: Uint8Array[]): AsyncGenerator<Uint8Array> {
    try {
      yield* first;
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        read += next.value.length;
        yield next.value;
      }
    } finally {
      await reader.cancel();
    }
  }
  // A pipe may give its first byte alone.
  const first: Uint8Array[] = [];
  while (read < GZIP_MAGIC.length) {
    const next = await reader.read();
    if (next.done) break;
    first.push(next.value);
    read += next.value.length;
  }
  const head = first.flatMap((chunk) => [...chunk.subarray(0, 2)]);
  const packed = GZIP_MAGIC.every((byte, i) => head[i] === byte);
  const plain = rest(first);
  return { chunks: packed ? gunzip(path, plain) : plain, size, read: () => read };
}
