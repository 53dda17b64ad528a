/** What golden_updates_itest.ts does not cover: refusals, logs, statistics. */
import { assertEquals, assertThrows } from "@std/assert";
import type { TableUpdate } from "./changes.ts";
import { IcebergError } from "./errors.ts";
import { currentSchema } from "./metadata.ts";
import { newTableMetadata } from "./new_table.ts";
import { schemaFromJson } from "./schema.ts";
import type { Snapshot, TableMetadata } from "./types.ts";
import { applyUpdates } from "./updates.ts";

const NOW = 1_700_000_000_000;
/** Beyond 2^53, as real ids are. */
const FIRST = 3051729675574597004n;
const SECOND = 3055729675574597004n;

const BASE = newTableMetadata({
  uuid: "9c12d441-03fe-4693-9a96-a0705ddf69c1",
  location: "s3://b/t",
  schema: schemaFromJson({
    type: "struct",
    fields: [
      { id: 1, name: "id", required: true, type: "long" },
      { id: 2, name: "ts", required: true, type: "timestamptz" },
    ],
  }),
  spec: {
    "spec-id": 0,
    fields: [{ "source-id": 2, "field-id": 1000, name: "d", transform: "day" }],
  },
  nowMs: 1,
});

function snapshot(id: bigint, sequence: bigint, parent?: bigint): Snapshot {
  return {
    "snapshot-id": id,
    ...(parent === undefined ? {} : { "parent-snapshot-id": parent }),
    "sequence-number": sequence,
    "timestamp-ms": NOW - 5,
    "manifest-list": `s3://b/t/${id}.avro`,
    summary: { operation: "append" },
    "schema-id": 0,
  };
}

function append(id: bigint, sequence: bigint, parent?: bigint): TableUpdate[] {
  return [
    { action: "add-snapshot", snapshot: snapshot(id, sequence, parent) },
    { action: "set-snapshot-ref", "ref-name": "main", type: "branch", "snapshot-id": id },
  ];
}

function apply(metadata: TableMetadata, ...updates: TableUpdate[]): TableMetadata {
  return applyUpdates(metadata, updates, { nowMs: NOW });
}

const ONE = apply(BASE, ...append(FIRST, 1n));
const TWO = apply(ONE, ...append(SECOND, 2n, FIRST));

Deno.test("applyUpdates() without updates changes nothing, not even the time", () => {
  assertEquals(apply(BASE), BASE);
});

Deno.test("applyUpdates() appends: current snapshot, sequence number, log, time", () => {
  assertEquals(TWO["current-snapshot-id"], SECOND);
  assertEquals(TWO["last-sequence-number"], 2n);
  assertEquals(TWO["last-updated-ms"], NOW);
  assertEquals(TWO["snapshot-log"], [
    { "timestamp-ms": NOW - 5, "snapshot-id": FIRST },
    { "timestamp-ms": NOW - 5, "snapshot-id": SECOND },
  ]);
});

Deno.test("applyUpdates() logs a rollback at the time it happens", () => {
  const back = apply(TWO, {
    action: "set-snapshot-ref",
    "ref-name": "main",
    type: "branch",
    "snapshot-id": FIRST,
  });
  assertEquals(back["current-snapshot-id"], FIRST);
  assertEquals(back["snapshot-log"].at(-1), { "timestamp-ms": NOW, "snapshot-id": FIRST });
  assertEquals(back["last-sequence-number"], 2n);
});

Deno.test("applyUpdates() keeps fields it does not know", () => {
  const odd = { ...ONE, "x-vendor": { a: 1 } } as TableMetadata;
  const result = apply(odd, { action: "set-properties", updates: { p: "1" } });
  assertEquals((result as unknown as Record<string, unknown>)["x-vendor"], { a: 1 });
});

Deno.test("applyUpdates() never lowers the sequence number for a snapshot without a parent", () => {
  const late = apply(TWO, { action: "add-snapshot", snapshot: snapshot(7n, 1n) });
  assertEquals(late["last-sequence-number"], 2n);
});

Deno.test("applyUpdates() extends the metadata log and cuts it to the table's limit", () => {
  let metadata = apply(BASE, {
    action: "set-properties",
    updates: { "write.metadata.previous-versions-max": "2" },
  });
  for (const version of [1, 2, 3]) {
    metadata = applyUpdates(
      metadata,
      [{ action: "set-properties", updates: { version: String(version) } }],
      { nowMs: NOW + version, previousLocation: `v${version}.json` },
    );
  }
  assertEquals(metadata["metadata-log"], [
    { "timestamp-ms": NOW + 1, "metadata-file": "v2.json" },
    { "timestamp-ms": NOW + 2, "metadata-file": "v3.json" },
  ]);
});

Deno.test("applyUpdates() fails on a bad limit instead of taking the default", () => {
  const metadata = apply(BASE, {
    action: "set-properties",
    updates: { "write.metadata.previous-versions-max": "many" },
  });
  assertThrows(
    () =>
      applyUpdates(metadata, [{ action: "remove-properties", removals: [] }], {
        nowMs: NOW,
        previousLocation: "v1.json",
      }),
    IcebergError,
    'write.metadata.previous-versions-max "many"',
  );
});

Deno.test("applyUpdates() keeps the highest column id when a schema loses columns", () => {
  const wide = schemaFromJson({
    type: "struct",
    fields: [
      ...currentSchema(BASE).fields,
      { id: 3, name: "x", required: false, type: "int" },
    ],
  });
  const widened = apply(
    BASE,
    { action: "add-schema", schema: wide },
    { action: "set-current-schema", "schema-id": -1 },
  );
  assertEquals([widened["current-schema-id"], widened["last-column-id"]], [1, 3]);
  const back = apply(widened, { action: "set-current-schema", "schema-id": 0 });
  assertEquals([back["current-schema-id"], back["last-column-id"]], [0, 3]);
});

Deno.test("applyUpdates() gives partition fields without an id the next, or an equivalent one's", () => {
  const fields = [
    { "source-id": 2, name: "d", transform: "day" },
    { "source-id": 1, name: "b", transform: "bucket[4]" },
  ] as TableMetadata["partition-specs"][0]["fields"];
  const result = apply(BASE, { action: "add-spec", spec: { "spec-id": 0, fields } });
  assertEquals(result["partition-specs"][1]?.fields.map((field) => field["field-id"]), [
    1000,
    1001,
  ]);
  assertEquals(result["last-partition-id"], 1001);
});

Deno.test("applyUpdates() keeps one statistics file per snapshot and drops it with the snapshot", () => {
  const file = (path: string) => ({
    "snapshot-id": FIRST,
    "statistics-path": path,
    "file-size-in-bytes": 5n,
  });
  const set = apply(
    TWO,
    { action: "set-statistics", statistics: file("a") },
    { action: "set-statistics", statistics: file("b") },
    { action: "set-partition-statistics", "partition-statistics": file("p") },
  );
  assertEquals(set.statistics, [file("b")]);
  const gone = apply(set, { action: "remove-snapshots", "snapshot-ids": [FIRST] });
  assertEquals([gone.statistics, gone["partition-statistics"]], [[], []]);
  assertEquals(gone["snapshot-log"].length, 1);
});

Deno.test("applyUpdates() upgrades v1 and drops its old fields", () => {
  const v1 = {
    ...BASE,
    "format-version": 1,
    schema: currentSchema(BASE),
    "partition-spec": [],
  } as TableMetadata;
  const v2 = apply(v1, { action: "upgrade-format-version", "format-version": 2 });
  assertEquals(v2["format-version"], 2);
  assertEquals("schema" in v2 || "partition-spec" in v2, false);
});

const NARROW = schemaFromJson({ type: "struct", fields: [BASE.schemas[0]?.fields[0]] });

const REFUSED: [what: string, updates: TableUpdate[], message: string][] = [
  ["a snapshot it has", append(SECOND, 3n, FIRST), "the table already has it"],
  ["an old sequence number", append(9n, 2n, SECOND), "is not above the table's 2"],
  [
    "a ref to nowhere",
    [{ action: "set-snapshot-ref", "ref-name": "t", type: "tag", "snapshot-id": 9n }],
    'Cannot set ref "t" to snapshot 9',
  ],
  [
    "a tag called main",
    [{ action: "set-snapshot-ref", "ref-name": "main", type: "tag", "snapshot-id": FIRST }],
    'Cannot make "main" a tag',
  ],
  [
    "the last added schema where none was added",
    [{ action: "set-current-schema", "schema-id": -1 }],
    "none has been added",
  ],
  ["an unknown schema", [{ action: "set-current-schema", "schema-id": 5 }], "schema 5"],
  ["an unknown spec", [{ action: "set-default-spec", "spec-id": 5 }], "partition spec 5"],
  ["an unknown order", [{ action: "set-default-sort-order", "sort-order-id": 5 }], "sort order 5"],
  [
    "a schema without a column that the default spec needs",
    [{ action: "add-schema", schema: NARROW }, { action: "set-current-schema", "schema-id": -1 }],
    "Cannot use column 2",
  ],
  [
    "removing what is current",
    [{ action: "remove-schemas", "schema-ids": [0] }],
    "Cannot remove the current schema 0",
  ],
  [
    "removing the default spec",
    [{ action: "remove-partition-specs", "spec-ids": [0] }],
    "Cannot remove the default partition spec 0",
  ],
  ["a downgrade", [{ action: "upgrade-format-version", "format-version": 1 }], "downgrade"],
  ["format 3", [{ action: "upgrade-format-version", "format-version": 3 }], "version 3"],
  [
    "an action of a later REST version",
    [{ action: "add-encryption-key" } as unknown as TableUpdate],
    'Cannot apply update "add-encryption-key": unknown action',
  ],
];

for (const [what, updates, message] of REFUSED) {
  Deno.test(`applyUpdates() refuses ${what}`, () => {
    assertThrows(() => apply(TWO, ...updates), IcebergError, message);
  });
}
