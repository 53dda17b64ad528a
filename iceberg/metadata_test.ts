import { assertEquals, assertThrows } from "@std/assert";
import { IcebergError } from "./errors.ts";
import {
  ancestorsOf,
  currentSnapshot,
  parseTableMetadata,
  printTableMetadata,
  schemaForSpec,
  snapshotOfRef,
  specById,
} from "./metadata.ts";
import { parseJson, printJson } from "./json.ts";

/** As other writers make it: keys this library does not know, in any order, ids beyond 2^53. */
const V2 = `{
  "x-vendor": {"deep": [3055729675574597004, 1]},
  "format-version": 2,
  "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1",
  "location": "s3://bucket/test/location",
  "last-sequence-number": 34,
  "last-updated-ms": 1602638573590,
  "last-column-id": 3,
  "current-schema-id": 1,
  "schemas": [
    {"type": "struct", "schema-id": 0, "fields": [
      {"id": 1, "name": "x", "required": true, "type": "long"},
      {"id": 4, "name": "gone", "required": false, "type": "string"}]},
    {"type": "struct", "schema-id": 1, "identifier-field-ids": [1], "fields": [
      {"id": 1, "name": "x", "required": true, "type": "long", "x-field": true},
      {"id": 2, "name": "y", "required": true, "type": "long", "doc": "comment"},
      {"id": 3, "name": "z", "required": true, "type": "decimal(9,2)"}]}],
  "default-spec-id": 0,
  "partition-specs": [
    {"spec-id": 0, "fields": [{"name": "x", "transform": "identity", "source-id": 1, "field-id": 1000}]},
    {"spec-id": 1, "fields": [{"name": "g", "transform": "zorder[2]", "source-id": 4, "field-id": 1001}]}],
  "last-partition-id": 1001,
  "default-sort-order-id": 3,
  "sort-orders": [{"order-id": 3, "fields": [
    {"transform": "identity", "source-id": 2, "direction": "asc", "null-order": "nulls-first"}]}],
  "properties": {"read.split.target.size": "134217728"},
  "current-snapshot-id": 3055729675574597004,
  "snapshots": [
    {"snapshot-id": 3051729675574597004, "timestamp-ms": 1515100955770, "sequence-number": 0,
     "summary": {"operation": "append"}, "manifest-list": "s3://a/b/1.avro"},
    {"snapshot-id": 3055729675574597004, "parent-snapshot-id": 3051729675574597004,
     "timestamp-ms": 1555100955770, "sequence-number": 1, "summary": {"operation": "append", "k": "v"},
     "manifest-list": "s3://a/b/2.avro", "schema-id": 1, "x-snapshot": null}],
  "snapshot-log": [
    {"snapshot-id": 3051729675574597004, "timestamp-ms": 1515100955770},
    {"snapshot-id": 3055729675574597004, "timestamp-ms": 1555100955770}],
  "metadata-log": [{"metadata-file": "s3://bucket/.../v1.json", "timestamp-ms": 1515100}],
  "refs": {"test": {"snapshot-id": 3051729675574597004, "type": "tag", "max-ref-age-ms": 10000000}}
}`;

/** The document with one edit, as text. */
function edited(edit: (json: Record<string, unknown>) => void): string {
  const json = parseJson(V2) as Record<string, unknown>;
  edit(json);
  return printJson(json);
}

Deno.test("parseTableMetadata() reads 64-bit ids exactly and makes branch main explicit", () => {
  const metadata = parseTableMetadata(V2);
  assertEquals(metadata["current-snapshot-id"], 3055729675574597004n);
  assertEquals(metadata["last-sequence-number"], 34n);
  assertEquals(metadata.refs, {
    test: { "snapshot-id": 3051729675574597004n, type: "tag", "max-ref-age-ms": 10000000 },
    main: { "snapshot-id": 3055729675574597004n, type: "branch" },
  });
  assertEquals(currentSnapshot(metadata)?.summary, { operation: "append", k: "v" });
  assertEquals(snapshotOfRef(metadata, "test")?.["snapshot-id"], 3051729675574597004n);
  assertEquals(snapshotOfRef(metadata, "toString"), undefined);
});

Deno.test("printTableMetadata() keeps unknown fields and the order of keys", () => {
  const printed = printTableMetadata(parseTableMetadata(V2));
  const expected = edited((json) => {
    (json.refs as Record<string, unknown>).main = {
      "snapshot-id": 3055729675574597004n,
      type: "branch",
    };
    // A sequence number of 0 is not written, as in Java.
    delete (json.snapshots as Record<string, unknown>[])[0]?.["sequence-number"];
  });
  assertEquals(printed, expected);
  assertEquals(printTableMetadata(parseTableMetadata(printed)), printed);
});

Deno.test("parseTableMetadata() takes -1, null and nothing for no current snapshot", () => {
  for (const value of [-1, null, undefined]) {
    const text = edited((json) => {
      json["current-snapshot-id"] = value;
      json.refs = {};
    });
    const metadata = parseTableMetadata(text);
    assertEquals(metadata["current-snapshot-id"], null);
    assertEquals(currentSnapshot(metadata), undefined);
    assertEquals(printTableMetadata(metadata).includes('"current-snapshot-id":-1'), true);
  }
});

Deno.test("parseTableMetadata() reads the oldest form of v1", () => {
  // TableMetadataV1Valid.json of apache/iceberg, shortened.
  const metadata = parseTableMetadata(`{"format-version": 1,
    "table-uuid": "d20125c8-7284-442c-9aea-15fee620737c", "location": "s3://bucket/test/location",
    "last-updated-ms": 1602638573874, "last-column-id": 3,
    "schema": {"type": "struct", "fields": [
      {"id": 1, "name": "x", "required": true, "type": "long"}]},
    "partition-spec": [
      {"name": "x", "transform": "identity", "source-id": 1},
      {"name": "b", "transform": "bucket[4]", "source-id": 1}],
    "properties": {}, "current-snapshot-id": -1, "snapshots": []}`);
  assertEquals(metadata.schemas.length, 1);
  assertEquals(metadata["current-schema-id"], 0);
  assertEquals(metadata["last-partition-id"], 1001);
  assertEquals(specById(metadata, 0).fields.map((field) => field["field-id"]), [1000, 1001]);
  assertEquals(metadata["sort-orders"], [{ "order-id": 0, fields: [] }]);
  assertEquals(metadata["last-sequence-number"], 0n);
});

type Edit = (json: Record<string, unknown>) => void;
const REFUSED: [what: string, edit: Edit, message: string][] = [
  [
    "a later format",
    (json) => json["format-version"] = 3,
    'Cannot read "format-version": expected 1 or 2, got 3',
  ],
  [
    "no uuid",
    (json) => delete json["table-uuid"],
    'Cannot read "table-uuid": expected a string, got nothing',
  ],
  [
    "a current schema that is not there",
    (json) => json["current-schema-id"] = 9,
    "Cannot find schema 9",
  ],
  ["a default spec that is not there", (json) => json["default-spec-id"] = 9, "partition spec 9"],
  ["no partition specs in v2", (json) => delete json["partition-specs"], '"partition-specs"'],
  [
    "a ref to a snapshot that is not there",
    (json) => json.refs = { t: { "snapshot-id": 5, type: "tag" } },
    'ref "t" is at snapshot 5, which is not there',
  ],
  [
    "main elsewhere than the current snapshot",
    (json) => json.refs = { main: { "snapshot-id": 3051729675574597004n, type: "branch" } },
    "current-snapshot-id is 3055729675574597004, branch main is at 3051729675574597004",
  ],
  [
    "a snapshot without a manifest list",
    (json) => delete (json.snapshots as Record<string, unknown>[])[0]?.["manifest-list"],
    'Cannot read "snapshots[0].manifest-list"',
  ],
  [
    "a snapshot id that was rounded",
    (json) => json["current-snapshot-id"] = 3.5,
    'Cannot read "current-snapshot-id": expected a 64-bit integer, got 3.5',
  ],
  [
    "a property that is no string",
    (json) => json.properties = { a: 1 },
    'Cannot read "properties.a"',
  ],
  [
    "an unknown kind of ref",
    (json) => json.refs = { t: { "snapshot-id": 3051729675574597004n, type: "label" } },
    'Cannot read "refs.t.type": expected one of branch, tag, got "label"',
  ],
  [
    "two snapshots of one id",
    (json) => json.snapshots = [...(json.snapshots as []), ...(json.snapshots as [])],
    "same id",
  ],
];

for (const [what, edit, message] of REFUSED) {
  Deno.test(`parseTableMetadata() refuses ${what}`, () => {
    assertThrows(() => parseTableMetadata(edited(edit)), IcebergError, message);
  });
}

Deno.test("ancestorsOf() goes from the newest to the oldest, and ends in a cycle", () => {
  const ids = (text: string) =>
    [...ancestorsOf(parseTableMetadata(text), 3055729675574597004n)]
      .map((snapshot) => snapshot["snapshot-id"]);
  assertEquals(ids(V2), [3055729675574597004n, 3051729675574597004n]);
  const cycle = edited((json) => {
    const [first] = json.snapshots as Record<string, unknown>[];
    if (first !== undefined) first["parent-snapshot-id"] = 3055729675574597004n;
  });
  assertEquals(ids(cycle), [3055729675574597004n, 3051729675574597004n]);
});

Deno.test("schemaForSpec() finds a schema that still has the columns of an old spec", () => {
  const metadata = parseTableMetadata(V2);
  assertEquals(schemaForSpec(metadata, specById(metadata, 0))["schema-id"], 1);
  assertEquals(schemaForSpec(metadata, specById(metadata, 1))["schema-id"], 0);
});
