/** Updates made by Java Iceberg (fixtures/README.md) give the metadata that Java makes of them. */
import { assertEquals } from "@std/assert";
import type { TableUpdate } from "./changes.ts";
import { parseJson } from "./json.ts";
import { parseTableMetadata, snapshotFromJson } from "./metadata.ts";
import { applyUpdates } from "./updates.ts";

const lines = Deno.readTextFileSync(new URL("./fixtures/java/updates.ndjson", import.meta.url))
  .trimEnd().split("\n");

/** Small sequence numbers are numbers until read as part of a snapshot. */
function readUpdates(text: string): TableUpdate[] {
  return (parseJson(text) as TableUpdate[]).map((update) =>
    update.action === "add-snapshot"
      ? { ...update, snapshot: snapshotFromJson(update.snapshot, "snapshot") }
      : update
  );
}

for (let at = 1; at < lines.length; at += 2) {
  const updates = readUpdates(lines[at] as string);
  const actions = updates.map((update) => update.action).join(", ");
  Deno.test(`applyUpdates() does as Java: step ${(at + 1) / 2}: ${actions || "nothing"}`, () => {
    const base = parseTableMetadata(lines[at - 1] as string);
    const before = structuredClone(base);
    const java = parseTableMetadata(lines[at + 1] as string);
    assertEquals(applyUpdates(base, updates, { nowMs: java["last-updated-ms"] }), java);
    assertEquals(base, before, "the input is left alone");
  });
}
