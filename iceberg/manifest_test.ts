/**
 * Writing and reading manifests and manifest lists, and what entries inherit. That Java and we agree on
 * bytes is golden_itest.ts's matter.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { IcebergError } from "./errors.ts";
import { encodeManifest } from "./manifest.ts";
import { decodeManifest, type ManifestDecoders } from "./manifest_reader.ts";
import { assignNumbers, decodeManifestList, encodeManifestList } from "./manifest_list.ts";
import { schemaFromJson } from "./schema.ts";
import {
  type DataFile,
  EntryStatus,
  FileContent,
  ManifestContent,
  type ManifestEntry,
  type PartitionSpec,
  UNASSIGNED_SEQUENCE_NUMBER,
} from "./types.ts";

/** Beyond 2^53, as real ids are. */
const SNAPSHOT = 3055729675574597004n;

const SCHEMA = schemaFromJson({
  type: "struct",
  "schema-id": 2,
  fields: [
    { id: 1, name: "id", required: true, type: "long" },
    { id: 2, name: "ts", required: true, type: "timestamptz" },
    { id: 3, name: "name", required: false, type: "string" },
  ],
});

const SPEC: PartitionSpec = {
  "spec-id": 1,
  fields: [
    { "source-id": 2, "field-id": 1000, name: "ts_day", transform: "day" },
    { "source-id": 3, "field-id": 1001, name: "name", transform: "identity" },
  ],
};

function file(path: string, rest: Partial<DataFile> = {}): DataFile {
  return {
    content: FileContent.data,
    file_path: path,
    file_format: "PARQUET",
    spec_id: 1,
    partition: [17486, "a"],
    record_count: 10n,
    file_size_in_bytes: 2n ** 40n,
    ...rest,
  };
}

function added(path: string, rest: Partial<DataFile> = {}): ManifestEntry {
  return {
    status: EntryStatus.added,
    snapshot_id: null,
    sequence_number: null,
    file_sequence_number: null,
    data_file: file(path, rest),
  };
}

function encode(entries: ManifestEntry[], content: ManifestContent = ManifestContent.data) {
  const path = "s3://b/m.avro";
  return encodeManifest({
    path,
    schema: SCHEMA,
    spec: SPEC,
    content,
    snapshotId: SNAPSHOT,
    entries,
  });
}

const FULL: Partial<DataFile> = {
  column_sizes: new Map([[1, 100n], [2, 200n]]),
  value_counts: new Map([[1, 10n]]),
  null_value_counts: new Map([[1, 0n]]),
  nan_value_counts: new Map(),
  lower_bounds: new Map([[1, Uint8Array.of(1)], [3, Uint8Array.of(2, 3)]]),
  upper_bounds: new Map([[1, Uint8Array.of(4)], [3, Uint8Array.of(5)]]),
  key_metadata: Uint8Array.of(9),
  split_offsets: [4n, 2n ** 33n],
  sort_order_id: 0,
};

Deno.test("an added file inherits snapshot id and both sequence numbers from the list", () => {
  const { bytes, manifest } = encode([added("s3://b/1.parquet", FULL)]);
  const list = encodeManifestList({
    snapshotId: SNAPSHOT,
    parentSnapshotId: null,
    sequenceNumber: 7n,
    manifests: [manifest],
  });
  const [committed] = decodeManifestList(list);
  if (committed === undefined) throw new Error("the list is empty");
  assertEquals(decodeManifest(bytes, { manifest: committed, specs: [SPEC], schema: SCHEMA }), [{
    status: EntryStatus.added,
    snapshot_id: SNAPSHOT,
    sequence_number: 7n,
    file_sequence_number: 7n,
    data_file: file("s3://b/1.parquet", FULL),
  }]);
});

Deno.test("a file added with an older data sequence number keeps it; the file's own is inherited", () => {
  const { bytes, manifest } = encode([{ ...added("s3://b/1.parquet"), sequence_number: 3n }]);
  assertEquals(manifest.min_sequence_number, 3n);
  const committed = assignNumbers(manifest, SNAPSHOT, 7n);
  assertEquals(committed.min_sequence_number, 3n);
  const [entry] = decodeManifest(bytes, { manifest: committed, specs: [SPEC], schema: SCHEMA });
  assertEquals([entry?.sequence_number, entry?.file_sequence_number], [3n, 7n]);
});

Deno.test("existing and deleted files keep their numbers; a deletion is the manifest's snapshot's", () => {
  const old = { snapshot_id: 5n, sequence_number: 2n, file_sequence_number: 4n };
  const { bytes, manifest } = encode([
    { ...old, status: EntryStatus.existing, data_file: file("s3://b/1.parquet") },
    { ...old, status: EntryStatus.deleted, data_file: file("s3://b/2.parquet") },
  ]);
  const committed = assignNumbers(manifest, SNAPSHOT, 7n);
  const entries = decodeManifest(bytes, { manifest: committed, specs: [SPEC], schema: SCHEMA });
  assertEquals(entries.map((entry) => [entry.snapshot_id, entry.sequence_number]), [
    [5n, 2n],
    [SNAPSHOT, 2n],
  ]);
  assertEquals(entries.map((entry) => entry.file_sequence_number), [4n, 4n]);
});

Deno.test("encodeManifest() counts files and rows by status and sums partitions up", () => {
  const old = { snapshot_id: 5n, sequence_number: 2n, file_sequence_number: 4n };
  const { manifest, bytes } = encode([
    added("s3://b/1.parquet", { partition: [17486, "\uff5e"] }),
    added("s3://b/2.parquet", { partition: [-1, null] }),
    {
      ...old,
      status: EntryStatus.existing,
      data_file: file("s3://b/3.parquet", { record_count: 2n ** 60n }),
    },
    {
      ...old,
      sequence_number: 1n,
      status: EntryStatus.deleted,
      data_file: file("s3://b/4.parquet", { partition: [17487, "\u{1f600}"] }),
    },
  ]);
  assertEquals(manifest, {
    manifest_path: "s3://b/m.avro",
    manifest_length: BigInt(bytes.length),
    partition_spec_id: 1,
    content: ManifestContent.data,
    sequence_number: UNASSIGNED_SEQUENCE_NUMBER,
    // Of live files only: the deleted one's 1 does not count.
    min_sequence_number: 2n,
    added_snapshot_id: SNAPSHOT,
    added_files_count: 2,
    existing_files_count: 1,
    deleted_files_count: 1,
    added_rows_count: 20n,
    existing_rows_count: 2n ** 60n,
    deleted_rows_count: 10n,
    partitions: [
      {
        contains_null: false,
        contains_nan: false,
        lower_bound: Uint8Array.fromHex("ffffffff"),
        upper_bound: Uint8Array.fromHex("4f440000"),
      },
      {
        contains_null: true,
        contains_nan: false,
        lower_bound: new TextEncoder().encode("a"),
        // By code points: U+1F600 is above U+FF5E.
        upper_bound: new TextEncoder().encode("\u{1f600}"),
      },
    ],
  });
});

Deno.test("encodeManifest() is deterministic, so a retry can compare files", () => {
  assertEquals(encode([added("x")]).bytes, encode([added("x")]).bytes);
});

Deno.test("decodeManifest() reads the statistics of the wanted columns only", () => {
  const { bytes, manifest } = encode([added("x", FULL)]);
  const options = { manifest, specs: [SPEC], schema: SCHEMA };
  const [some] = decodeManifest(bytes, { ...options, stats: new Set([3]) });
  assertEquals(some?.data_file.lower_bounds, new Map([[3, Uint8Array.of(2, 3)]]));
  assertEquals(some?.data_file.column_sizes, new Map());
  assertEquals(some?.data_file.split_offsets, FULL.split_offsets);
  const [none] = decodeManifest(bytes, { ...options, stats: "none" });
  assertEquals(none?.data_file.lower_bounds, undefined);
  assertEquals(none?.data_file.record_count, 10n);
});

Deno.test("decodeManifest() reads manifests of several specs by decoders that it keeps", () => {
  const byName: PartitionSpec = {
    "spec-id": 4,
    fields: [{ "source-id": 3, "field-id": 1001, name: "name", transform: "identity" }],
  };
  const specs = [SPEC, byName];
  const both = [
    encode([added("s3://b/1.parquet", FULL)]),
    encodeManifest({
      path: "s3://b/n.avro",
      schema: SCHEMA,
      spec: byName,
      content: ManifestContent.data,
      snapshotId: SNAPSHOT,
      entries: [added("s3://b/2.parquet", { spec_id: 4, partition: ["b"] })],
    }),
  ];
  const decoders: ManifestDecoders = new Map();
  for (const { bytes, manifest } of [...both, ...both]) {
    const options = { manifest, specs, schema: SCHEMA };
    const alone = decodeManifest(bytes, options);
    assertEquals(decodeManifest(bytes, { ...options, decoders }), alone);
    assertEquals(
      alone[0]!.data_file.partition,
      manifest === both[0]!.manifest ? [17486, "a"] : ["b"],
    );
  }
  assertEquals(decoders.size, 2);
});

Deno.test("decodeManifest() takes spec and types from the manifest where the table has forgotten them", () => {
  const { bytes, manifest } = encode([added("x")]);
  const dropped = schemaFromJson({ type: "struct", "schema-id": 3, fields: [] });
  const [entry] = decodeManifest(bytes, { manifest, specs: [], schema: dropped });
  assertEquals(entry?.data_file.partition, [17486, "a"]);
});

Deno.test("decodeManifest() widens the partition values of a promoted column", () => {
  const narrow = schemaFromJson({
    type: "struct",
    fields: [{ id: 1, name: "n", required: false, type: "int" }],
  });
  const wide = schemaFromJson({
    type: "struct",
    fields: [{ id: 1, name: "n", required: false, type: "long" }],
  });
  const spec = {
    "spec-id": 1,
    fields: [{ "source-id": 1, "field-id": 1000, name: "n", transform: "identity" }],
  };
  const { bytes, manifest } = encodeManifest({
    path: "m",
    schema: narrow,
    spec,
    content: ManifestContent.data,
    snapshotId: 1n,
    entries: [added("x", { partition: [-7] })],
  });
  const [entry] = decodeManifest(bytes, { manifest, specs: [spec], schema: wide });
  assertEquals(entry?.data_file.partition, [-7n]);
});

Deno.test("delete files go into manifests of their own", () => {
  const deletes = added("x", {
    content: FileContent.equalityDeletes,
    equality_ids: [1],
    referenced_data_file: "s3://b/1.parquet",
  });
  const { bytes, manifest } = encode([deletes], ManifestContent.deletes);
  assertEquals(manifest.content, ManifestContent.deletes);
  const [entry] = decodeManifest(bytes, { manifest, specs: [SPEC], schema: SCHEMA });
  assertEquals(entry?.data_file, deletes.data_file);
  assertThrows(() => encode([deletes]), IcebergError, "either data files or delete files");
});

const REFUSED: [what: string, entry: ManifestEntry, message: string][] = [
  ["another spec", added("x", { spec_id: 0 }), "its spec is 0, the manifest's is 1"],
  ["an added file of another snapshot", { ...added("x"), snapshot_id: 1n }, "added by snapshot 1"],
  [
    "an added file with a file number",
    { ...added("x"), file_sequence_number: 1n },
    "no number yet",
  ],
  ["an existing file without numbers", { ...added("x"), status: 0 }, "both its sequence numbers"],
  [
    "an existing file without a snapshot",
    { ...added("x"), status: 0, sequence_number: 1n, file_sequence_number: 1n },
    "must have the id of the snapshot",
  ],
  ["a partition of the wrong length", added("x", { partition: [1] }), "1 values for 2"],
];

for (const [what, entry, message] of REFUSED) {
  Deno.test(`encodeManifest() refuses ${what}`, () => {
    assertThrows(() => encode([entry]), IcebergError, message);
  });
}

Deno.test("encodeManifestList() refuses an unassigned manifest of another snapshot", () => {
  const { manifest } = encode([added("x")]);
  const options = { parentSnapshotId: 1n, sequenceNumber: 8n, manifests: [manifest] };
  assertThrows(
    () => encodeManifestList({ ...options, snapshotId: 2n }),
    IcebergError,
    `it belongs to snapshot ${SNAPSHOT}, not 2`,
  );
});

Deno.test("encodeManifestList() keeps the numbers of manifests from before", () => {
  const { manifest } = encode([added("x")]);
  const old = assignNumbers(manifest, SNAPSHOT, 3n);
  const list = encodeManifestList({
    snapshotId: 2n,
    parentSnapshotId: SNAPSHOT,
    sequenceNumber: 8n,
    manifests: [old],
  });
  assertEquals(decodeManifestList(list), [old]);
});

Deno.test("a manifest is no manifest list, nor the other way round", () => {
  const { bytes, manifest } = encode([added("x")]);
  assertThrows(() => decodeManifestList(bytes), IcebergError, "has no manifest_path");
  const list = encodeManifestList({
    snapshotId: SNAPSHOT,
    parentSnapshotId: null,
    sequenceNumber: 1n,
    manifests: [manifest],
  });
  assertThrows(
    () => decodeManifest(list, { manifest, specs: [SPEC], schema: SCHEMA }),
    IcebergError,
    "Cannot read manifest",
  );
});
