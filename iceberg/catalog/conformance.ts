/** One suite for every catalog adapter, the real REST server's included. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Schema, Snapshot, TableUpdate } from "../types.ts";
import {
  AlreadyExistsError,
  CatalogRequestError,
  CommitConflictError,
  NamespaceNotEmptyError,
  NoSuchNamespaceError,
  NoSuchTableError,
} from "./errors.ts";
import type { Catalog, Namespace, TableIdent } from "./port.ts";

/** A catalog, and a namespace that exists, is the suite's own and has no tables. */
export interface CatalogSubject {
  readonly catalog: Catalog;
  readonly namespace: Namespace;
  readonly close?: () => Promise<void>;
}

/** A 63-bit id whose last digits a double would lose. */
const LARGE_ID = 9_007_199_254_740_993_001n;

const SCHEMA: Schema = {
  type: "struct",
  "schema-id": 0,
  fields: [
    { id: 1, name: "id", required: true, type: "string" },
    { id: 2, name: "at", required: false, type: "timestamptz" },
    { id: 3, name: "amount", required: false, type: "decimal(18, 4)" },
  ],
};

const SPEC = {
  "spec-id": 0,
  fields: [{ "source-id": 2, "field-id": 1000, name: "at_day", transform: "day" }],
};

function snapshot(id: bigint, sequence: bigint, timestampMs: number): Snapshot {
  return {
    "snapshot-id": id,
    "sequence-number": sequence,
    "timestamp-ms": timestampMs,
    "manifest-list": `/nowhere/snap-${id}.avro`,
    summary: { operation: "append", note: "conformance" },
    "schema-id": 0,
  };
}

function addToMain(snap: Snapshot): TableUpdate[] {
  return [
    { action: "add-snapshot", snapshot: snap },
    {
      action: "set-snapshot-ref",
      "ref-name": "main",
      type: "branch",
      "snapshot-id": snap["snapshot-id"],
    },
  ];
}

type Check = (catalog: Catalog, namespace: Namespace, table: TableIdent) => Promise<void>;

const CHECKS: Readonly<Record<string, Check>> = {
  "createTable() makes a table that loadTable() gives back": async (catalog, _, ident) => {
    const created = await catalog.createTable(ident, {
      schema: SCHEMA,
      partitionSpec: SPEC,
      properties: { "owner.team": "finance", "format-version": "2" },
    });
    assertEquals(created.metadata["format-version"], 2);
    assertEquals(created.metadata.properties["owner.team"], "finance");
    assertEquals(created.metadata["current-snapshot-id"], null);
    assertEquals(created.metadata.schemas[0]?.fields.map((field) => field.type), [
      "string",
      "timestamptz",
      "decimal(18, 4)",
    ]);
    assertEquals(created.metadata["partition-specs"][0]?.fields[0]?.transform, "day");
    const loaded = await catalog.loadTable(ident);
    assertEquals(loaded.metadata["table-uuid"], created.metadata["table-uuid"]);
    assertEquals(loaded.metadataLocation, created.metadataLocation);
    assertEquals((await catalog.listTables(ident.namespace)).length, 1);
  },
  "createTable() twice is AlreadyExistsError": async (catalog, _, ident) => {
    await catalog.createTable(ident, { schema: SCHEMA });
    await assertRejects(() => catalog.createTable(ident, { schema: SCHEMA }), AlreadyExistsError);
  },
  "createTable() by several at once makes one table, and the others are told": async (
    catalog,
    _,
    ident,
  ) => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 4 }, () => catalog.createTable(ident, { schema: SCHEMA })),
    );
    const made = outcomes.filter((one) => one.status === "fulfilled");
    const told = outcomes.filter((one) => one.status === "rejected");
    assertEquals([made.length, told.length], [1, 3]);
    for (const { reason } of told) assert(reason instanceof AlreadyExistsError, String(reason));
    const { metadata } = await catalog.loadTable(ident);
    assertEquals(metadata["table-uuid"], made[0]!.value.metadata["table-uuid"]);
  },
  "what is missing is told by class": async (catalog, namespace, ident) => {
    const nowhere = ["conformance_no_such_namespace"];
    await assertRejects(() => catalog.loadTable(ident), NoSuchTableError);
    await assertRejects(() => catalog.dropTable(ident), NoSuchTableError);
    await assertRejects(
      () => catalog.commitTable(ident, { requirements: [], updates: [] }),
      NoSuchTableError,
    );
    await assertRejects(() => catalog.loadNamespace(nowhere), NoSuchNamespaceError);
    await assertRejects(() => catalog.listTables(nowhere), NoSuchNamespaceError);
    assertEquals(await catalog.listTables(namespace), []);
  },
  "namespaces nest and take any character": async (catalog, namespace) => {
    const child = [...namespace, "child with ü & %"];
    await catalog.createNamespace(child, { purpose: "nested" });
    await assertRejects(() => catalog.createNamespace(child), AlreadyExistsError);
    assertEquals((await catalog.loadNamespace(child))["purpose"], "nested");
    assertEquals(await catalog.listNamespaces(namespace), [child]);
    assert((await catalog.listNamespaces()).some((levels) => levels[0] === namespace[0]));
    const ident = { namespace: child, name: "t a b" };
    await catalog.createTable(ident, { schema: SCHEMA });
    assertEquals(await catalog.listTables(child), [ident]);
    await assertRejects(() => catalog.dropNamespace(child), NamespaceNotEmptyError);
    await catalog.dropTable(ident);
    await catalog.dropNamespace(child);
    assertEquals(await catalog.listNamespaces(namespace), []);
  },
  "commitTable() applies updates and keeps 63-bit ids": async (catalog, _, ident) => {
    const { metadata } = await catalog.createTable(ident, { schema: SCHEMA });
    const committed = await catalog.commitTable(ident, {
      requirements: [
        { type: "assert-table-uuid", uuid: metadata["table-uuid"] },
        { type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": null },
      ],
      updates: [
        ...addToMain(snapshot(LARGE_ID, 1n, metadata["last-updated-ms"])),
        { action: "set-properties", updates: { "pipeline.test": '{"a":"1"}' } },
      ],
    });
    assertEquals(committed.metadata["current-snapshot-id"], LARGE_ID);
    const { metadata: loaded } = await catalog.loadTable(ident);
    assertEquals(loaded["current-snapshot-id"], LARGE_ID);
    assertEquals(loaded.refs["main"]?.["snapshot-id"], LARGE_ID);
    assertEquals(loaded.snapshots[0]?.summary["note"], "conformance");
    assertEquals(loaded["last-sequence-number"], 1n);
    assertEquals(loaded.properties["pipeline.test"], '{"a":"1"}');
  },
  "commitTable() is a conflict if the base moved, and changes nothing": async (
    catalog,
    _,
    ident,
  ) => {
    const { metadata } = await catalog.createTable(ident, { schema: SCHEMA });
    const timestamp = metadata["last-updated-ms"];
    const requirements = [
      { type: "assert-table-uuid" as const, uuid: metadata["table-uuid"] },
      { type: "assert-ref-snapshot-id" as const, ref: "main", "snapshot-id": null },
    ];
    await catalog.commitTable(ident, {
      requirements,
      updates: addToMain(snapshot(LARGE_ID, 1n, timestamp)),
    });
    await assertRejects(
      () =>
        catalog.commitTable(ident, {
          requirements,
          updates: [
            { action: "set-properties", updates: { half: "applied" } },
            ...addToMain(snapshot(LARGE_ID - 2n, 2n, timestamp)),
          ],
        }),
      CommitConflictError,
    );
    const { metadata: loaded } = await catalog.loadTable(ident);
    assertEquals(loaded["current-snapshot-id"], LARGE_ID);
    assertEquals(loaded.snapshots.length, 1);
    assertEquals(loaded.properties["half"], undefined);
  },
  "commitTable() by several at once on one base lets one in": async (catalog, _, ident) => {
    const { metadata } = await catalog.createTable(ident, { schema: SCHEMA });
    const timestamp = metadata["last-updated-ms"];
    const ids = [1n, 2n, 3n, 4n];
    const outcomes = await Promise.allSettled(ids.map((id) =>
      catalog.commitTable(ident, {
        requirements: [{ type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": null }],
        updates: addToMain(snapshot(id, 1n, timestamp)),
      })
    ));
    const winners = ids.filter((_, index) => outcomes[index]!.status === "fulfilled");
    assertEquals(winners.length, 1);
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") continue;
      assert(outcome.reason instanceof CommitConflictError, String(outcome.reason));
    }
    const { metadata: loaded } = await catalog.loadTable(ident);
    assertEquals(loaded.snapshots.map((one) => one["snapshot-id"]), winners);
  },
  "commitTable() by several at once that do not exclude each other loses none": async (
    catalog,
    _,
    ident,
  ) => {
    const { metadata } = await catalog.createTable(ident, { schema: SCHEMA });
    const keys = ["a", "b", "c"];
    await Promise.all(keys.map((key) =>
      catalog.commitTable(ident, {
        requirements: [{ type: "assert-table-uuid", uuid: metadata["table-uuid"] }],
        updates: [{ action: "set-properties", updates: { [key]: key } }],
      })
    ));
    const { properties } = (await catalog.loadTable(ident)).metadata;
    assertEquals(keys.map((key) => properties[key]), keys);
  },
  "commitTable() of another table's uuid is a conflict": async (catalog, _, ident) => {
    await catalog.createTable(ident, { schema: SCHEMA });
    await assertRejects(
      () =>
        catalog.commitTable(ident, {
          requirements: [
            { type: "assert-table-uuid", uuid: "00000000-0000-4000-8000-000000000000" },
          ],
          updates: [{ action: "set-properties", updates: { half: "applied" } }],
        }),
      CommitConflictError,
    );
  },
  "commitTable() refuses a ref to a snapshot that is not there": async (catalog, _, ident) => {
    await catalog.createTable(ident, { schema: SCHEMA });
    await assertRejects(
      () =>
        catalog.commitTable(ident, {
          requirements: [],
          updates: [
            { action: "set-snapshot-ref", "ref-name": "t", type: "tag", "snapshot-id": 42n },
          ],
        }),
      CatalogRequestError,
    );
  },
  "renameTable() moves, and not onto another table": async (catalog, namespace, ident) => {
    const other = { namespace, name: "conformance_other" };
    await catalog.createTable(ident, { schema: SCHEMA });
    await catalog.createTable(other, { schema: SCHEMA });
    await assertRejects(() => catalog.renameTable(ident, other), AlreadyExistsError);
    await catalog.dropTable(other);
    await catalog.renameTable(ident, other);
    await assertRejects(() => catalog.loadTable(ident), NoSuchTableError);
    assertEquals((await catalog.loadTable(other)).metadata["current-snapshot-id"], null);
    await catalog.dropTable(other);
  },
};

/** Registers the suite: one test per rule, each in a namespace of its own. */
export function catalogConformance(
  name: string,
  open: () => CatalogSubject | Promise<CatalogSubject>,
): void {
  for (const [rule, check] of Object.entries(CHECKS)) {
    Deno.test(`${name}: ${rule}`, async () => {
      const { catalog, namespace, close } = await open();
      try {
        await check(catalog, namespace, { namespace, name: "conformance" });
      } finally {
        await close?.();
      }
    });
  }
}
