/**
 * What iceberg/ needs of a place to keep files, and nothing more. Table files are never changed in
 * place (spec, "File System Operations"): they are created once under a name that no other file
 * ever has, read, listed by the orphan cleaner and removed, so there is no rename, append or overwrite.
 *
 * Every adapter passes `storageConformance` (conformance.ts).
 */

/** One file in a listing. */
export interface FileInfo {
  /** In the spelling of the folder that was listed. */
  readonly location: string;
  /** In bytes. */
  readonly size: number;
  /** Last modification, milliseconds since the epoch. */
  readonly modifiedMs: number;
}

/** A range of a file, in bytes. */
export interface ReadRange {
  /** @default {0} */
  readonly offset?: number;
  /** To the end of the file if absent; a range beyond the end is cut there. */
  readonly length?: number;
}

/** A place that keeps files, addressed by the locations found in table metadata. */
export interface Storage {
  /**
   * Reads a file or a range of it.
   *
   * @throws {NoSuchFileError} if there is none
   */
  read(location: string, range?: ReadRange): Promise<Uint8Array>;
  /**
   * Creates a file, folders included. When it returns, the whole file is durable; if it throws anything
   * but FileExistsError, the file may or may not be there. A reader never sees a part of it.
   *
   * @throws {FileExistsError} if the name is taken, whatever the content
   */
  create(location: string, bytes: Uint8Array): Promise<void>;
  /** Size and age of a file, or undefined if there is none. */
  stat(location: string): Promise<FileInfo | undefined>;
  /** Removes a file; removing one that is not there is no error. */
  remove(location: string): Promise<void>;
  /** All files below a folder, at any depth, in no particular order. An absent folder is empty. */
  list(folder: string): AsyncIterable<FileInfo>;
  /**
   * The path under which other programs of this machine (DuckDB) find the file. Absent: the storage
   * is not this machine's.
   *
   * @throws {UnsafeLocationError} like every other function
   */
  localPath?(location: string): string;
}

/** There is no such file. For a file the metadata refers to, this is damage. */
export class NoSuchFileError extends Error {
  override readonly name = "NoSuchFileError";
  /** The location asked for. */
  readonly location: string;
  constructor(location: string, options?: ErrorOptions) {
    super(`Cannot read "${location}": there is no such file`, options);
    this.location = location;
  }
}

/** The name is taken: an exclusive create lost. */
export class FileExistsError extends Error {
  override readonly name = "FileExistsError";
  /** The location asked for. */
  readonly location: string;
  constructor(location: string, options?: ErrorOptions) {
    super(`Cannot create "${location}": the file exists`, options);
    this.location = location;
  }
}

/** A location outside of what this storage was opened for, or one that is malformed. Never retried. */
export class UnsafeLocationError extends Error {
  override readonly name = "UnsafeLocationError";
  /** The location refused. */
  readonly location: string;
  constructor(location: string, reason: string) {
    super(`Cannot use location "${location}": ${reason}`);
    this.location = location;
  }
}

/** The storage failed for a reason that may pass (disk full, network, 5xx); `cause` has it. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  /** The location of the operation. */
  readonly location: string;
  /** True if the operation may have taken effect although it failed. */
  readonly outcomeUnknown: boolean;
  constructor(
    action: string,
    location: string,
    reason: string,
    options: ErrorOptions & { outcomeUnknown?: boolean } = {},
  ) {
    super(`Cannot ${action} "${location}": ${reason}`, options);
    this.location = location;
    this.outcomeUnknown = options.outcomeUnknown ?? false;
  }
}
