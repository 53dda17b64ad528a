/**
 * The DuckDB of a process that answers several questions (docs/decisions/0012-kept-engine.md). It is locked to planned files
 * of this process's questions, and answers the next question if that one's files are among them. After anything but a
 * whole answer it is thrown away.
 */
import type { Engine, LockedEngine, SqlParser } from "./engine.ts";

/** Files of earlier questions stay in reach of a new DuckDB up to so many in all: each costs some of its start. */
const PATHS_CARRIED_MAX = 500;

/** Options of {@linkcode EnginePool}. */
export interface EnginePoolOptions {
  /** A folder for what does not fit into memory; made when it is needed. */
  spillFolder?: string;
  /** Is given what closes a DuckDB, which takes some milliseconds. @default closed at once */
  release?: (close: () => void) => void;
}

/** What a question needs of its DuckDB. */
export interface EngineNeed {
  /** Files that it opens. */
  paths: readonly string[];
  /** Settings, as statements. */
  settings: readonly string[];
}

interface KeptEngine {
  engine: Engine;
  locked: LockedEngine;
  paths: ReadonlySet<string>;
  settings: string;
}

/** Keeps one idle DuckDB at most. */
export class EnginePool {
  readonly #options: EnginePoolOptions;
  #idle: KeptEngine | undefined;
  #closed = false;

  constructor(options: EnginePoolOptions = {}) {
    this.#options = options;
  }

  /** Begins a question: it gets the idle DuckDB for itself or, in the background, a new one. */
  turn(): EngineTurn {
    const kept = this.#idle;
    this.#idle = undefined;
    return new EngineTurn(this.#options, kept, (ended) => this.#take(ended));
  }

  /** Closes what is idle; what is in use is closed when its question ends. */
  close(): void {
    this.#closed = true;
    this.#idle?.engine.close();
    this.#idle = undefined;
  }

  #take(ended: KeptEngine): boolean {
    if (this.#closed || this.#idle !== undefined) return false;
    this.#idle = ended;
    return true;
  }
}

/** Loads DuckDB only now: it is most of what a query loads, and by now the catalog has its question. */
async function open(spillFolder: string | undefined): Promise<Engine> {
  const { openEngine } = await import("./engine.ts");
  return await openEngine(spillFolder === undefined ? {} : { spillFolder });
}

/** One question's use of a DuckDB. */
export class EngineTurn {
  readonly #options: EnginePoolOptions;
  readonly #giveBack: (kept: KeptEngine) => boolean;
  #kept: KeptEngine | undefined;
  #engine: Promise<Engine>;

  constructor(
    options: EnginePoolOptions,
    kept: KeptEngine | undefined,
    giveBack: (kept: KeptEngine) => boolean,
  ) {
    this.#options = options;
    this.#kept = kept;
    this.#giveBack = giveBack;
    this.#engine = kept === undefined ? open(options.spillFolder) : Promise.resolve(kept.engine);
    this.#engine.catch(() => {});
  }

  /** What parses; nothing of the user's is run. */
  parser(): Promise<SqlParser> {
    return this.#engine;
  }

  /** A DuckDB that reaches nothing but planned files: those of this question and of earlier ones. */
  async locked({ paths, settings }: EngineNeed): Promise<LockedEngine> {
    const key = settings.join("\n");
    const kept = this.#kept;
    if (kept?.settings === key && paths.every((path) => kept.paths.has(path))) return kept.locked;
    const wanted = new Set(paths);
    if (kept !== undefined) {
      this.#drop();
      this.#engine = open(this.#options.spillFolder);
      const all = wanted.union(kept.paths);
      if (all.size <= PATHS_CARRIED_MAX) return await this.#lock(all, settings, key);
    }
    return await this.#lock(wanted, settings, key);
  }

  /** Stops what runs; it fails then. */
  interrupt(): void {
    this.#engine.then((engine) => engine.interrupt(), () => {});
  }

  /** Ends the turn. DuckDB is kept only where the question was answered whole. */
  async end({ keep }: { keep: boolean }): Promise<void> {
    const kept = this.#kept;
    if (keep && kept !== undefined) {
      const ended = await kept.locked.end().then(() => true, () => false);
      if (ended && this.#giveBack(kept)) return;
    }
    this.#drop();
  }

  async #lock(paths: Set<string>, settings: readonly string[], key: string): Promise<LockedEngine> {
    const engine = await this.#engine;
    const locked = await engine.lock({ allowedPaths: [...paths], settings });
    this.#kept = { engine, locked, paths, settings: key };
    return locked;
  }

  #drop(): void {
    const { release = (close) => close() } = this.#options;
    this.#kept = undefined;
    this.#engine.then((engine) => release(() => engine.close()), () => {});
  }
}
