import { assertEquals } from "@std/assert";
import type { TableRequirement } from "./changes.ts";
import { newTableMetadata } from "./new_table.ts";
import { checkRequirement } from "./requirements.ts";
import { schemaFromJson } from "./schema.ts";
import type { TableMetadata } from "./types.ts";

/** Two ids that are one number once rounded to a double. */
const ID = 9007199254740992n;
const NEAR = 9007199254740993n;

const TABLE: TableMetadata = {
  ...newTableMetadata({
    uuid: "9c12d441-03fe-4693-9a96-a0705ddf69c1",
    location: "s3://b/t",
    schema: schemaFromJson({
      type: "struct",
      fields: [{ id: 1, name: "id", required: true, type: "long" }],
    }),
    nowMs: 1,
  }),
  refs: {
    main: { "snapshot-id": ID, type: "branch" },
    t: { "snapshot-id": ID, type: "tag" },
  },
};

// UpdateRequirement.java of apache/iceberg; undefined = it holds.
const ROWS: [requirement: TableRequirement, reason: string | undefined][] = [
  [{ type: "assert-create" }, "the table already exists"],
  [{ type: "assert-table-uuid", uuid: "9C12D441-03FE-4693-9A96-A0705DDF69C1" }, undefined],
  [
    { type: "assert-table-uuid", uuid: "x" },
    "table uuid has changed: expected x, is 9c12d441-03fe-4693-9a96-a0705ddf69c1",
  ],
  [{ type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": ID }, undefined],
  [
    { type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": NEAR },
    'branch "main" has changed: expected 9007199254740993, is 9007199254740992',
  ],
  [
    { type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": null },
    'branch "main" was created meanwhile',
  ],
  [
    { type: "assert-ref-snapshot-id", ref: "t", "snapshot-id": null },
    'tag "t" was created meanwhile',
  ],
  [{ type: "assert-ref-snapshot-id", ref: "new", "snapshot-id": null }, undefined],
  [{ type: "assert-ref-snapshot-id", ref: "toString", "snapshot-id": null }, undefined],
  [
    { type: "assert-ref-snapshot-id", ref: "new", "snapshot-id": ID },
    'ref "new" is missing, expected at 9007199254740992',
  ],
  [{ type: "assert-last-assigned-field-id", "last-assigned-field-id": 1 }, undefined],
  [
    { type: "assert-last-assigned-field-id", "last-assigned-field-id": 2 },
    "last assigned field id has changed: expected 2, is 1",
  ],
  [{ type: "assert-current-schema-id", "current-schema-id": 0 }, undefined],
  [
    { type: "assert-current-schema-id", "current-schema-id": 1 },
    "current schema has changed: expected 1, is 0",
  ],
  [{ type: "assert-last-assigned-partition-id", "last-assigned-partition-id": 999 }, undefined],
  [
    { type: "assert-last-assigned-partition-id", "last-assigned-partition-id": 1000 },
    "last assigned partition id has changed: expected 1000, is 999",
  ],
  [{ type: "assert-default-spec-id", "default-spec-id": 0 }, undefined],
  [
    { type: "assert-default-spec-id", "default-spec-id": 1 },
    "default partition spec has changed: expected 1, is 0",
  ],
  [{ type: "assert-default-sort-order-id", "default-sort-order-id": 0 }, undefined],
  [
    { type: "assert-default-sort-order-id", "default-sort-order-id": 1 },
    "default sort order has changed: expected 1, is 0",
  ],
];

for (const [requirement, reason] of ROWS) {
  const { type, ...rest } = requirement;
  const shown = Object.values(rest).map(String).join(" ");
  Deno.test(`checkRequirement() ${type} ${shown}: ${reason ?? "holds"}`, () => {
    assertEquals(checkRequirement(requirement, TABLE), reason);
  });
}

Deno.test("checkRequirement() for a table that does not exist", () => {
  assertEquals(checkRequirement({ type: "assert-create" }, undefined), undefined);
  assertEquals(
    checkRequirement({ type: "assert-table-uuid", uuid: "x" }, undefined),
    "the table does not exist",
  );
});
