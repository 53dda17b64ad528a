/** Where an answer goes: standard output, a file, or a pager. */

/** A place that takes bytes. */
export interface Destination {
  /** Rejects with BrokenPipe when nobody reads any more. */
  write(bytes: Uint8Array): Promise<void>;
  /** All was written: a file appears under its name, a pager is waited for. */
  finish(): Promise<void>;
  /** It was not: nothing half-written stays behind. */
  abandon(): Promise<void>;
}

interface Writer {
  write(bytes: Uint8Array): Promise<number>;
}

/** Writes all bytes; one write may take only some. */
export async function writeAll(writer: Writer, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await writer.write(rest));
}

/** Standard output. */
export function stdoutDestination(): Destination {
  return {
    write: (bytes) => writeAll(Deno.stdout, bytes),
    finish: () => Promise.resolve(),
    abandon: () => Promise.resolve(),
  };
}

/** A destination that is opened by its first byte: a query that fails starts no pager. */
export function lazyDestination(open: () => Destination): Destination {
  let opened: Destination | undefined;
  return {
    write: (bytes) => (opened ??= open()).write(bytes),
    finish: async () => await opened?.finish(),
    abandon: async () => await opened?.abandon(),
  };
}

/**
 * A file. A regular one appears whole or not at all: it is written under another name beside it first.
 * Devices and named pipes are written to as they are.
 *
 * @throws {Deno.errors.NotFound} if its folder is not there
 */
export async function fileDestination(path: string): Promise<Destination> {
  const there = await Deno.stat(path).catch(() => undefined);
  const direct = there !== undefined && !there.isFile;
  const target = direct ? path : `${path}.${Deno.pid}.partial`;
  const file = await Deno.open(target, { write: true, create: !direct, truncate: !direct });
  return {
    write: (bytes) => writeAll(file, bytes),
    async finish() {
      file.close();
      if (!direct) await Deno.rename(target, path);
    },
    async abandon() {
      try {
        file.close();
      } catch (error) {
        // Finished, and then something else failed: the file is whole.
        if (error instanceof Deno.errors.BadResource) return;
        throw error;
      }
      if (!direct) await Deno.remove(target);
    },
  };
}
