/**
 * The commit protocol, for every kind of change. Steps of one attempt:
 *
 *  1. the base: the table in hand for the first attempt, a fresh load for the others
 *  2. look: if the change is in the base already, or must not be made any more, stop
 *  3. stage: requirements on that very base, updates, and the files they refer to
 *  4. commit through the catalog: the one moment at which the change happens
 *
 * A refusal (409) or a catalog that was not reached goes back to 1, so does an unknown outcome (5xx, timeout,
 * lost connection), and step 2 then finds a commit that landed after all. Files are deleted only if
 * nothing can refer to them: those of refused attempts, never those of an attempt whose outcome is
 * unknown, and none at all when the change was found in the base, for then any attempt may have landed.
 */

import {
  CatalogUnreachableError,
  CommitConflictError,
  CommitStateUnknownError,
  NoSuchTableError,
} from "../catalog/errors.ts";
import { type CommitRequest, identName } from "../catalog/port.ts";
import { NoSuchFileError } from "../storage/port.ts";
import type { TableMetadata } from "../types.ts";
import type { CommitEnvironment } from "./environment.ts";
import { FileLedger } from "./ledger.ts";
import { type RetryPolicy, retryPolicy, retryWaitMs } from "./retry.ts";
import { reloadTable, type Table } from "./table.ts";

/** What a look at the base of an attempt decides. */
export type Verdict =
  /** Make the change on this base. */
  | "go"
  /** The base has it already. */
  | "done"
  /** Someone else does our work, or did other work in our place: never make it. */
  | "zombie"
  /** Nothing is left to change. */
  | "nothing";

/** A change ready for the catalog. */
export interface StagedCommit extends CommitRequest {
  /** The files written here that it refers to. */
  readonly files: readonly string[];
}

/** How a commit ended, if it did not throw. */
export interface CommitOutcome {
  /**
   * `committed`: by this call. `already`: found in the table. `zombie`: not made, `beforeAttempt` said so. `nothing`: there was
   * nothing to change. Only `committed` and `already` mean that the change is in the table.
   */
  readonly status: "committed" | "already" | "zombie" | "nothing";
  /** The table after the commit, or the base that decided otherwise. */
  readonly table: Table;
  /** Requests sent to the catalog. */
  readonly attempts: number;
}

/** Options of every commit. */
export interface CommitOptions extends CommitEnvironment {
  /** @default {the table's commit.retry.* properties} */
  readonly retry?: RetryPolicy;
  /** Ends the waiting between attempts; an attempt that was sent is always waited for. */
  readonly signal?: AbortSignal;
}

/** Prepares one attempt on a base (steps 2 and 3). Files go through the ledger. */
export type Stage = (
  base: TableMetadata,
  context: { readonly attempt: number; readonly ledger: FileLedger },
) => Promise<StagedCommit | Exclude<Verdict, "go">>;

interface RunOptions extends CommitOptions {
  readonly stage: Stage;
  /** True if the metadata shows that the change was made. Absent: cannot be told. */
  readonly landed?: (metadata: TableMetadata) => boolean;
}

/**
 * Runs the protocol.
 *
 * @throws {CommitStateUnknownError} if an attempt may have landed and could not be found: delete nothing, look again later
 * @throws {CommitConflictError} if every attempt was refused: nothing was applied
 * @throws whatever else refused it for good (see catalog/errors.ts), with nothing applied
 */
export async function runCommit(table: Table, options: RunOptions): Promise<CommitOutcome> {
  const run = new CommitRun(table, options);
  try {
    for (let attempt = 0;; attempt++) {
      const outcome = await run.attempt(attempt);
      if (outcome !== undefined) return await run.finish(outcome);
    }
  } catch (error) {
    return await run.settle(error);
  }
}

class CommitRun {
  readonly #options: RunOptions;
  readonly #ledger: FileLedger;
  readonly #policy: RetryPolicy;
  readonly #startMs: number;
  #table: Table;
  #attempts = 0;
  /** The error of the last attempt that may be repeated. */
  #last: unknown;
  /** The first attempt with an unknown outcome. */
  #unknown: CommitStateUnknownError | undefined;
  /** Files of attempts that may have landed. */
  readonly #keep = new Set<string>();

  constructor(table: Table, options: RunOptions) {
    this.#table = table;
    this.#options = options;
    this.#ledger = new FileLedger(options.storage);
    this.#policy = options.retry ?? retryPolicy(table.metadata.properties);
    this.#startMs = options.nowMs();
  }

  /** One attempt; undefined if another one may follow. */
  async attempt(attempt: number): Promise<CommitOutcome | undefined> {
    const { stage, random, sleep, signal } = this.#options;
    if (attempt > 0) {
      this.#checkBudget(attempt);
      await sleep(retryWaitMs(this.#policy, attempt, random), signal);
    }
    try {
      // 1. The base.
      if (attempt > 0) this.#table = await reloadTable(this.#table);
      // 2. and 3. Look and stage.
      const staged = await stage(this.#table.metadata, { attempt, ledger: this.#ledger });
      if (typeof staged === "string") {
        return this.#outcome(staged === "done" ? "already" : staged);
      }
      // 4. Commit.
      return await this.#commit(staged);
    } catch (error) {
      if (!mayRepeat(error)) throw error;
      this.#last = error;
      return undefined;
    }
  }

  async #commit(staged: StagedCommit): Promise<CommitOutcome> {
    const { catalog, ident } = this.#table;
    this.#attempts++;
    try {
      const { requirements, updates } = staged;
      this.#table = { ...await catalog.commitTable(ident, { requirements, updates }), catalog };
    } catch (error) {
      if (error instanceof CommitStateUnknownError) {
        this.#unknown ??= error;
        for (const file of staged.files) this.#keep.add(file);
      }
      throw error;
    }
    for (const file of staged.files) this.#keep.add(file);
    return this.#outcome("committed");
  }

  #checkBudget(attempt: number): void {
    const { nowMs, signal } = this.#options;
    signal?.throwIfAborted();
    const spent = nowMs() - this.#startMs;
    if (attempt > this.#policy.retriesMax || spent > this.#policy.totalMaxMs) throw this.#last;
  }

  #outcome(status: CommitOutcome["status"]): CommitOutcome {
    return { status, table: this.#table, attempts: this.#attempts };
  }

  /** Removes the files of refused attempts after a commit that is known to be ours alone. */
  async finish(outcome: CommitOutcome): Promise<CommitOutcome> {
    // "already" may be any attempt that was answered with an error, even a 409 (a proxy that sent the
    // request twice gets one for its own first copy), so then nothing is removed.
    if (outcome.status === "committed" || this.#attempts === 0) {
      await this.#ledger.discardExcept(this.#keep);
    }
    return outcome;
  }

  /**
   * The last look, when no attempt is left: the change may be there in spite of every answer (a proxy
   * that sends a request twice gets a 409 for its own first copy). Throws if it is not; files are removed only if no
   * attempt can have landed or still can.
   */
  async settle(error: unknown): Promise<CommitOutcome> {
    const looked = this.#attempts > 0 ? await this.#look() : "absent";
    if (looked === "landed") return this.#outcome("already");
    if (this.#unknown === undefined && looked === "absent") {
      await this.#ledger.discardExcept(this.#keep);
      throw error;
    }
    if (error instanceof CommitStateUnknownError) throw error;
    const first = this.#unknown?.message ?? "the table could not be read again";
    throw new CommitStateUnknownError(
      `Cannot tell whether a commit to "${identName(this.#table.ident)}" landed: ${first}`,
      { cause: error },
    );
  }

  async #look(): Promise<"landed" | "absent" | "unreadable"> {
    try {
      this.#table = await reloadTable(this.#table);
    } catch (error) {
      return error instanceof NoSuchTableError ? "absent" : "unreadable";
    }
    return this.#options.landed?.(this.#table.metadata) === true ? "landed" : "absent";
  }
}

/** A base that is gone stale, a catalog not reached, or an unknown outcome: look again. */
function mayRepeat(error: unknown): boolean {
  return error instanceof CommitConflictError || error instanceof CommitStateUnknownError ||
    error instanceof CatalogUnreachableError ||
    // A manifest of the base was removed by someone's expiry: the base is old.
    error instanceof NoSuchFileError;
}
