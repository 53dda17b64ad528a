/**
 * Files of this machine, below given folders and nowhere else: a location is refused if its text leaves
 * them (`..`) or if a symbolic link on the way does.
 */

import { isWithin, joinLocation, parseLocation } from "./location.ts";
import {
  FileExistsError,
  type FileInfo,
  NoSuchFileError,
  type ReadRange,
  type Storage,
  StorageError,
  UnsafeLocationError,
} from "./port.ts";

/** How to open local folders. */
export interface LocalStorageOptions {
  /** Absolute paths or `file:` URIs of the folders that may be touched. */
  readonly roots: readonly string[];
}

/** A `Storage` over local files. @throws {UnsafeLocationError} if a root is not a local folder's location */
export function localStorage(options: LocalStorageOptions): Storage {
  const roots = options.roots.map((root) => {
    const parsed = parseLocation(root);
    if (parsed.scheme !== "file" || parsed.authority !== "") {
      throw new UnsafeLocationError(root, "it is not a local folder");
    }
    return parsed;
  });

  /** The path of a location, by its text alone. */
  function localPath(location: string): string {
    const parsed = parseLocation(location);
    if (!roots.some((root) => isWithin(root, parsed))) {
      throw new UnsafeLocationError(
        location,
        `it is outside of ${roots.map((root) => root.path).join(", ")}`,
      );
    }
    return parsed.path;
  }

  /** Where the roots led when they were last looked at. */
  const realRoots = new Map<string, string>();

  /** The path of a location, after a look at where its links lead. Nothing above the root is touched. */
  async function safePath(location: string): Promise<string> {
    const path = localPath(location);
    const root = roots.find((one) => isWithin(one, parseLocation(location)))!.path;
    // Planning reads hundreds of manifests: what fits where the root led before need not ask where it leads now.
    const known = realRoots.get(root);
    if (known !== undefined) {
      const real = await realPathOf(path);
      if (real !== undefined && isBelow(real, known)) return path;
    }
    const realRoot = await realPathOf(root) ?? root;
    realRoots.set(root, realRoot);
    const real = await resolveBelow(path, root, realRoot);
    if (isBelow(real, realRoot)) return path;
    throw new UnsafeLocationError(location, `a symbolic link leads to "${real}"`);
  }

  return {
    localPath,
    read: async (location, range = {}) =>
      await readRange(location, await safePath(location), range),
    create: async (location, bytes) => await createFile(location, await safePath(location), bytes),
    stat: async (location) => {
      const path = await safePath(location);
      return await statFile(location, path);
    },
    remove: async (location) => {
      const path = await safePath(location);
      try {
        await Deno.remove(path);
      } catch (error) {
        if (!isAbsent(error)) throw failure("remove", location, error);
      }
    },
    list: async function* (folder) {
      yield* listFolder(folder, await safePath(folder));
    },
  };
}

function isBelow(real: string, realRoot: string): boolean {
  return real === realRoot || real.startsWith(realRoot === "/" ? "/" : realRoot + "/");
}

async function readRange(location: string, path: string, range: ReadRange): Promise<Uint8Array> {
  try {
    if (range.offset === undefined && range.length === undefined) return await Deno.readFile(path);
    using file = await Deno.open(path, { read: true });
    const { size } = await file.stat();
    const offset = Math.min(range.offset ?? 0, size);
    const bytes = new Uint8Array(Math.min(range.length ?? size - offset, size - offset));
    await file.seek(offset, Deno.SeekMode.Start);
    let filled = 0;
    while (filled < bytes.length) {
      const count = await file.read(bytes.subarray(filled));
      if (count === null) break;
      filled += count;
    }
    return bytes.subarray(0, filled);
  } catch (error) {
    throw isAbsent(error)
      ? new NoSuchFileError(location, { cause: error })
      : failure("read", location, error);
  }
}

/**
 * Creates a file in two steps, so that it is there whole or not at all: a temporary file beside it is
 * written and synced, then linked under its name, which fails if the name is taken.
 */
async function createFile(location: string, path: string, bytes: Uint8Array): Promise<void> {
  const folder = path.slice(0, path.lastIndexOf("/")) || "/";
  const temporary = `${folder}/.tmp-${crypto.randomUUID()}`;
  try {
    await Deno.mkdir(folder, { recursive: true });
    {
      using file = await Deno.open(temporary, { write: true, createNew: true });
      for (let written = 0; written < bytes.length;) {
        written += await file.write(bytes.subarray(written));
      }
      await file.syncData();
    }
    await publish(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new FileExistsError(location, { cause: error });
    }
    throw failure("create", location, error);
  } finally {
    await Deno.remove(temporary).catch(() => {});
  }
}

/** Gives a finished file its name, unless the name is taken. */
async function publish(temporary: string, path: string): Promise<void> {
  try {
    await Deno.link(temporary, path);
  } catch (error) {
    const unable = error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotSupported;
    if (!unable) throw error;
    // A file system without hard links: the name is reserved empty, then replaced.
    (await Deno.open(path, { write: true, createNew: true })).close();
    await Deno.rename(temporary, path);
  }
}

/** Makes the new name itself durable. */
async function syncFolder(folder: string): Promise<void> {
  using handle = await Deno.open(folder, { read: true });
  await handle.sync();
}

async function statFile(location: string, path: string): Promise<FileInfo | undefined> {
  try {
    const info = await Deno.stat(path);
    if (!info.isFile) return undefined;
    return { location, size: info.size, modifiedMs: info.mtime?.getTime() ?? 0 };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw failure("stat", location, error);
  }
}

/** Symbolic links are not followed: what they point at is not this folder's. */
async function* listFolder(folder: string, path: string): AsyncGenerator<FileInfo> {
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(path));
  } catch (error) {
    if (isAbsent(error)) return;
    throw failure("list", folder, error);
  }
  for (const entry of entries) {
    const location = joinLocation(folder, entry.name);
    const entryPath = joinLocation(path, entry.name);
    if (entry.isDirectory) yield* listFolder(location, entryPath);
    if (!entry.isFile) continue;
    // A file removed between the listing and the look at it is simply not there any more.
    const info = await statFile(location, entryPath);
    if (info !== undefined) yield info;
  }
}

/** Resolves the links of the longest part of the path that exists; the rest is appended as it is. */
async function resolveBelow(path: string, root: string, realRoot: string): Promise<string> {
  let rest = "";
  for (let head = path; head.length > root.length;) {
    const real = await realPathOf(head);
    if (real !== undefined) return real + rest;
    // A dangling link exists though its target does not; creating through it would leave the folder.
    if (await isLink(head)) return await Deno.readLink(head);
    const cut = head.lastIndexOf("/");
    rest = head.slice(cut) + rest;
    head = head.slice(0, cut);
  }
  return realRoot === "/" ? rest || "/" : realRoot + rest;
}

async function realPathOf(path: string): Promise<string | undefined> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw failure("resolve", path, error);
  }
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await Deno.lstat(path)).isSymlink;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw failure("resolve", path, error);
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

function failure(action: string, location: string, error: unknown): StorageError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StorageError(action, location, reason, { cause: error });
}
