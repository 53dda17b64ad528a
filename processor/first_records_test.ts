import { assertEquals, assertStrictEquals } from "@std/assert";
import type { Fetched } from "../broker/port.ts";
import { firstRecords } from "./first_records.ts";
import { recordBatch } from "./testing.ts";

function fetchOf(offsets: number[]): Fetched {
  const records = recordBatch(
    offsets.map((offset) => ({ offset, key: `k${offset}`, value: `v${offset}` })),
  );
  const place = { topic: "raw", partition: 0, fetchOffset: 5, nextOffset: 30 };
  return { ...place, records, logStart: 0, stable: 40, end: 41 };
}

Deno.test("firstRecords() ends before the first record that is cut off, holes before it included", () => {
  const { records, nextOffset, ...rest } = firstRecords(fetchOf([5, 6, 9, 20]), 2);
  assertEquals(nextOffset, 9);
  assertEquals(records.count, 2);
  assertEquals([...records.offsets], [5, 6]);
  const values = [0, 1].map((i) =>
    new TextDecoder().decode(records.bytes.subarray(records.valueStart[i], records.valueEnd[i]))
  );
  assertEquals(values, ["v5", "v6"]);
  for (const column of [records.timestamps, records.keyStart, records.keyEnd]) {
    assertEquals(column.length, 2);
  }
  assertEquals(rest, {
    topic: "raw",
    partition: 0,
    fetchOffset: 5,
    logStart: 0,
    stable: 40,
    end: 41,
  });
});

Deno.test("firstRecords() leaves a fetch that is no longer as it is", () => {
  const fetched = fetchOf([5, 6]);
  assertStrictEquals(firstRecords(fetched, 2), fetched);
});
