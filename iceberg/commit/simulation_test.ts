/**
 * Everything at once, by seed: appends, rewrites, deletions, manifest rewrites, expiry, the orphan cleaner and rollbacks
 * run into each other's commits while answers are lost before and after taking effect. After every step:
 * nothing dangles, every kept snapshot gives exactly the rows it should, and totals are true.
 */

import { assert, assertEquals } from "@std/assert";
import {
  CatalogUnreachableError,
  CommitConflictError,
  CommitStateUnknownError,
} from "../catalog/errors.ts";
import { planScan } from "../scan/plan.ts";
import type { DataFile } from "../types.ts";
import { commitAppend } from "./append.ts";
import { newSnapshotId } from "./environment.ts";
import { expireSnapshots } from "./expire.ts";
import { removeOrphans } from "./orphans.ts";
import { commitOverwrite } from "./overwrite.ts";
import { setTag } from "./refs.ts";
import { commitRewrite } from "./rewrite.ts";
import { commitRewriteManifests } from "./rewrite_manifests.ts";
import { reloadTable, type Table } from "./table.ts";
import { danglingLocations, TestWorld } from "./testing.ts";
import { TEST_DAY } from "./testing_files.ts";

/** Few enough for every run of the suite; raise it after a change of the protocol. */
const SEEDS = 8;
const STEPS = 60;
const MINUTE_MS = 60_000;
const STAGED_AGE_MAX_MS = 30 * MINUTE_MS;

/** What a snapshot of ours does to rows, by its id. */
interface Intent {
  readonly add: readonly number[];
  readonly remove: readonly number[];
}

class Simulation {
  readonly #world: TestWorld;
  #table: Table;
  /** Rows of every file ever made. */
  readonly #rows = new Map<string, readonly number[]>();
  readonly #intents = new Map<bigint, Intent>();
  /** Rows of every snapshot ever seen. */
  readonly #expected = new Map<bigint, ReadonlySet<number>>();
  #nextRow = 0;
  #tags = 0;
  readonly outcomes: Record<string, number> = {};

  constructor(world: TestWorld, table: Table) {
    this.#world = world;
    this.#table = table;
  }

  #pick(below: number): number {
    return Math.floor(this.#world.random() * below);
  }

  async #file(rows: readonly number[], day: number): Promise<DataFile> {
    const file = await this.#world.file({ day, records: BigInt(rows.length) });
    this.#rows.set(file.file_path, rows);
    return file;
  }

  #options(intent: Intent) {
    const snapshotId = newSnapshotId(this.#world.env.random);
    this.#intents.set(snapshotId, intent);
    return { ...this.#world.env, snapshotId };
  }

  /** One operation of a random kind on a fresh or stale table, under a random fault. */
  async step(depth = 0): Promise<void> {
    this.#world.nowMs += this.#pick(3) * MINUTE_MS;
    // A stale base now and then: what another process holds.
    const table = this.#pick(3) === 0 ? this.#table : await reloadTable(this.#table);
    this.#table = table;
    if (depth < 2) this.#setFault(depth);
    const kinds = ["append", "append", "append", "rewrite", "remove", "manifests", "expire", "tag"];
    const kind = depth === 0 && this.#pick(12) === 0 ? "orphans" : kinds[this.#pick(kinds.length)]!;
    let result: string;
    try {
      result = await this.#run(kind, table);
    } catch (error) {
      if (
        !(error instanceof CommitStateUnknownError) && !(error instanceof CommitConflictError) &&
        !(error instanceof CatalogUnreachableError)
      ) throw error;
      result = error.name;
    }
    this.outcomes[`${kind} ${result}`] = (this.outcomes[`${kind} ${result}`] ?? 0) + 1;
  }

  #setFault(depth: number): void {
    const { catalog } = this.#world;
    const operation = "commitTable" as const;
    const run = () => this.step(depth + 1);
    switch (this.#pick(7)) {
      case 0:
        return catalog.failNext({ operation, run });
      case 1:
        return catalog.failNext({ operation, error: new CommitStateUnknownError("before") });
      case 2:
        return catalog.failNext({
          operation,
          error: new CommitStateUnknownError("after"),
          afterEffect: true,
        });
      case 3:
        return catalog.failNext({
          operation,
          error: new CommitConflictError("a proxy sent it twice"),
          afterEffect: true,
        });
      case 4:
        return catalog.failNext({
          operation: "loadTable",
          error: new CatalogUnreachableError("x"),
          skip: 1,
        });
      default:
        return;
    }
  }

  async #run(kind: string, table: Table): Promise<string> {
    switch (kind) {
      case "append":
        return await this.#append(table);
      case "rewrite":
        return await this.#rewrite(table);
      case "remove":
        return await this.#remove(table);
      case "manifests":
        return (await commitRewriteManifests(table, this.#options({ add: [], remove: [] }))).status;
      case "expire":
        return (await expireSnapshots(table, {
          ...this.#world.env,
          maxSnapshotAgeMs: 10 * MINUTE_MS,
          minSnapshotsToKeep: 3,
        })).status;
      case "tag":
        return (await setTag(await reloadTable(table), {
          ...this.#world.env,
          name: `tag-${this.#tags++}`,
          maxRefAgeMs: 60 * MINUTE_MS,
        }).catch(skipEmpty)).status;
      default:
        return await this.#orphans(table);
    }
  }

  async #append(table: Table): Promise<string> {
    const files: DataFile[] = [];
    for (let at = this.#pick(3); at >= 0; at--) {
      const rows = Array.from({ length: 1 + this.#pick(4) }, () => this.#nextRow++);
      files.push(await this.#file(rows, TEST_DAY + this.#pick(3)));
    }
    const add = files.flatMap((file) => this.#rows.get(file.file_path)!);
    return (await commitAppend(table, { ...this.#options({ add, remove: [] }), files })).status;
  }

  async #liveFiles(table: Table): Promise<DataFile[]> {
    const { metadata } = await reloadTable(table);
    const { files } = await planScan(metadata, this.#world.storage, { allStats: true });
    return files.map((one) => one.file);
  }

  async #rewrite(table: Table): Promise<string> {
    const fresh = await reloadTable(table);
    const startingSnapshotId = fresh.metadata["current-snapshot-id"];
    if (startingSnapshotId === null) return "empty";
    const byDay = Map.groupBy(await this.#liveFiles(fresh), (file) => file.partition[0] as number);
    const groups = [];
    for (const [day, inputs] of byDay) {
      const rows = inputs.flatMap((file) => this.#rows.get(file.file_path)!);
      groups.push({ inputs, outputs: [await this.#file(rows, day)] });
    }
    const options = this.#options({ add: [], remove: [] });
    return (await commitRewrite(fresh, { ...options, groups, startingSnapshotId })).status;
  }

  async #remove(table: Table): Promise<string> {
    const files = await this.#liveFiles(table);
    const file = files[this.#pick(Math.max(1, files.length))];
    if (file === undefined) return "empty";
    const options = this.#options({ add: [], remove: this.#rows.get(file.file_path)! });
    try {
      return (await commitOverwrite(table, { ...options, remove: [file] })).status;
    } catch (error) {
      // The base is stale, or somebody was faster: nothing was removed.
      if ((error as Error).message.endsWith("it is not in the table")) return "gone";
      throw error;
    }
  }

  async #orphans(table: Table): Promise<string> {
    await removeOrphans(table, {
      storage: this.#world.storage,
      nowMs: () => this.#world.nowMs,
      ageMinMs: 3 * STAGED_AGE_MAX_MS,
      stagedAgeMaxMs: STAGED_AGE_MAX_MS,
    });
    return "done";
  }

  /** The invariants; rows only of snapshots not looked at before, unless `all`. */
  async check(options: { all?: boolean } = {}): Promise<void> {
    // Faults of operations that had nothing to commit must not strike the look.
    this.#world.catalog.clearFaults();
    const table = await reloadTable(this.#table);
    assertEquals(await danglingLocations(this.#world, table), []);
    const { metadata } = table;
    for (const snapshot of metadata.snapshots) {
      const id = snapshot["snapshot-id"];
      if (this.#expected.has(id) && options.all !== true) continue;
      const expected = this.#expectedRows(table, id);
      const plan = await planScan(metadata, this.#world.storage, { snapshot: { id } });
      const rows = plan.files.flatMap((file) => this.#rows.get(file.path)!);
      assertEquals(rows.length, new Set(rows).size, "a row is there twice");
      assertEquals(new Set(rows), expected, `rows of snapshot ${id}`);
      assertEquals(snapshot.summary["total-records"], String(rows.length));
      assertEquals(snapshot.summary["total-data-files"], String(plan.files.length));
    }
  }

  #expectedRows(table: Table, id: bigint): ReadonlySet<number> {
    const known = this.#expected.get(id);
    if (known !== undefined) return known;
    const snapshot = table.metadata.snapshots.find((one) => one["snapshot-id"] === id)!;
    const parent = snapshot["parent-snapshot-id"];
    const before = parent === undefined ? new Set<number>() : this.#expectedRows(table, parent);
    const { add, remove } = this.#intents.get(id)!;
    const rows = new Set([...before, ...add]).difference(new Set(remove));
    this.#expected.set(id, rows);
    return rows;
  }
}

/** A tag needs a snapshot; an empty table has none. */
function skipEmpty(error: Error): { status: string } {
  if (error.message.includes("the table has no snapshot")) return { status: "empty" };
  throw error;
}

Deno.test("whatever runs into whatever, every snapshot has exactly its rows", async () => {
  const outcomes: Record<string, number> = {};
  for (let seed = 0; seed < SEEDS; seed++) {
    const world = new TestWorld(seed);
    const table = await world.table({
      "commit.manifest.min-count-to-merge": "4",
      "write.metadata.delete-after-commit.enabled": "true",
      "write.metadata.previous-versions-max": "5",
    });
    const simulation = new Simulation(world, table);
    for (let step = 0; step < STEPS; step++) {
      try {
        await simulation.step();
        await simulation.check();
      } catch (error) {
        throw new Error(`seed ${seed}, step ${step}`, { cause: error });
      }
    }
    await simulation.check({ all: true });
    for (const [name, count] of Object.entries(simulation.outcomes)) {
      outcomes[name] = (outcomes[name] ?? 0) + count;
    }
  }
  // The seeds must really go through all of it.
  for (const name of ["append", "rewrite", "remove", "manifests", "expire"]) {
    for (const status of ["committed", "already"]) {
      assert(
        (outcomes[`${name} ${status}`] ?? 0) > 5,
        `${name} ${status}: ${JSON.stringify(outcomes)}`,
      );
    }
  }
  assert((outcomes["orphans done"] ?? 0) > 0);
});
