/**
 * Stages the parts of one batch, each as soon as it is whole: while the rest is still being fetched, the
 * first files are written. What failed is tried again at the end of the batch, by whoever commits it.
 */
import type { TableName } from "../contracts/tables.ts";
import { type CommitEnvironment, newSnapshotId } from "../iceberg/commit/environment.ts";
import type { DuckDb } from "./duckdb.ts";
import { dataFileLocation, layoutOf, type TableLayout } from "./layout.ts";
import type { DayFile } from "./spool.ts";
import { noFiles, type StagedFiles, stagePart } from "./stage.ts";
import type { TableHandle } from "./table_handle.ts";

/** What staging needs. */
export interface StagerContext {
  handle: TableHandle;
  environment: CommitEnvironment;
  db: DuckDb;
}

/** Parts of one batch on their way into storage. */
export class Stager {
  readonly #context: StagerContext;
  readonly #queue: DayFile[] = [];
  readonly #staged: StagedFiles = noFiles();
  #layout: TableLayout | undefined;
  #working: Promise<void> | undefined;
  #counter = 0;
  #cancelled = false;
  /** Of the snapshot that the batch will be; chosen before the first file, part of every name. */
  readonly snapshotId: bigint;

  constructor(context: StagerContext) {
    this.#context = context;
    this.snapshotId = newSnapshotId(context.environment.random);
  }

  /** Takes a part and begins to stage it in the background. */
  add(part: DayFile): void {
    this.#queue.push(part);
    // An error is not lost: the part stays first in the queue, and finish() meets it again.
    this.#work().catch(() => {});
  }

  /** Stages what is left and gives the whole. After an error it may be called again. */
  async finish(): Promise<StagedFiles> {
    await this.#working?.catch(() => {});
    await this.#work();
    return this.#staged;
  }

  /** Gives up: nothing more is staged, and none of the parts is in use any more. */
  async cancel(): Promise<void> {
    this.#cancelled = true;
    this.#queue.length = 0;
    await this.#working?.catch(() => {});
  }

  #work(): Promise<void> {
    this.#working ??= this.#stageQueue().finally(() => this.#working = undefined);
    return this.#working;
  }

  async #stageQueue(): Promise<void> {
    const { handle, environment: { storage }, db } = this.#context;
    const table: TableName = handle.name;
    this.#layout ??= layoutOf(table, (await handle.current()).metadata);
    const layout = this.#layout;
    for (let part = this.#queue[0]; part !== undefined; part = this.#queue[0]) {
      const newLocation = (day: string) =>
        dataFileLocation(layout, { day, snapshotId: this.snapshotId, counter: this.#counter++ });
      const staged = await stagePart({ db, storage, table, layout, newLocation }, part);
      if (this.#cancelled) return;
      // Merged only when the whole part is in: a part that failed half-way is staged anew.
      this.#staged.files.push(...staged.files);
      this.#staged.refused.push(...staged.refused);
      this.#staged.rows += staged.rows;
      this.#staged.bytes += staged.bytes;
      this.#staged.unfit += staged.unfit;
      this.#queue.shift();
      await Deno.remove(part.path).catch(() => {});
    }
  }
}
