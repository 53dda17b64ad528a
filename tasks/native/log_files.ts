/**
 * Logs that stay within a limit. The programs append straight to their file, so that they outlive the
 * supervisor; a file that is full is copied aside and truncated under them (a line written between the
 * two is lost: the price of needing no reader in the middle).
 */

/** A log is rotated beyond this size, in bytes. */
export const LOG_BYTES_MAX = 10 * 1024 * 1024;
/** Older pieces kept, `name.log.1` being the newest. */
export const LOG_PIECES_MAX = 3;

/** Rotates one log when it is over the limit. Tells whether it did. */
export async function rotate(path: string, bytesMax = LOG_BYTES_MAX): Promise<boolean> {
  const size = await Deno.stat(path).then((info) => info.size, () => 0);
  if (size <= bytesMax) return false;
  for (let piece = LOG_PIECES_MAX - 1; piece >= 1; piece -= 1) {
    await Deno.rename(`${path}.${piece}`, `${path}.${piece + 1}`).catch(ignoreNotFound);
  }
  await Deno.copyFile(path, `${path}.1`);
  await Deno.truncate(path);
  return true;
}

/** The last lines of a file, at most `count`, read from its last 256 KiB. Empty when there is none. */
export async function lastLines(path: string, count: number): Promise<string[]> {
  const WINDOW_BYTES = 256 * 1024;
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    ignoreNotFound(error);
    return [];
  }
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - WINDOW_BYTES);
    await file.seek(start, Deno.SeekMode.Start);
    const bytes = new Uint8Array(size - start);
    let got = 0;
    while (got < bytes.length) {
      const read = await file.read(bytes.subarray(got));
      if (read === null) break;
      got += read;
    }
    const lines = new TextDecoder().decode(bytes.subarray(0, got)).split("\n");
    if (lines.at(-1) === "") lines.pop();
    return lines.slice(-count);
  } finally {
    file.close();
  }
}

/** Reads what is appended to a log, across rotations. */
export class LogFollower {
  #path: string;
  #offset = 0;
  #rest = "";
  #decoder = new TextDecoder();

  constructor(path: string) {
    this.#path = path;
  }

  /** Leaves out what is there already. */
  async skipToEnd(): Promise<void> {
    this.#offset = await Deno.stat(this.#path).then((info) => info.size, () => 0);
  }

  /** Whole lines that came since the last call. A file that got smaller was rotated: from its start. */
  async read(): Promise<string[]> {
    const size = await Deno.stat(this.#path).then((info) => info.size, () => 0);
    if (size < this.#offset) {
      this.#offset = 0;
      this.#rest = "";
      this.#decoder = new TextDecoder();
    }
    if (size === this.#offset) return [];
    const file = await Deno.open(this.#path);
    try {
      await file.seek(this.#offset, Deno.SeekMode.Start);
      const bytes = new Uint8Array(Math.min(size - this.#offset, LOG_BYTES_MAX));
      const got = await file.read(bytes) ?? 0;
      this.#offset += got;
      const text = this.#decoder.decode(bytes.subarray(0, got), { stream: true });
      const lines = (this.#rest + text).split("\n");
      this.#rest = lines.pop() ?? "";
      return lines;
    } finally {
      file.close();
    }
  }
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
