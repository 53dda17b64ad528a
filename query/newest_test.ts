import { assert, assertEquals } from "@std/assert";
import { encodeValue } from "../iceberg/single_value.ts";
import type { PlannedFile } from "../iceberg/scan/plan.ts";
import { FileContent } from "../iceberg/types.ts";
import { likelyStart, newestFiles } from "./newest.ts";

/** A file of rows from `lower` to `upper`; without bounds if they are absent. */
function file(name: string, rows: number, lower?: number, upper?: number, nulls = 0): PlannedFile {
  const bound = (value: number) => new Map([[2, encodeValue("timestamptz", BigInt(value))]]);
  return {
    path: name,
    record_count: BigInt(rows),
    file_size_in_bytes: 1n,
    sequenceNumber: 1n,
    deletes: [],
    file: {
      content: FileContent.data,
      file_path: name,
      file_format: "PARQUET",
      spec_id: 0,
      partition: [],
      record_count: BigInt(rows),
      file_size_in_bytes: 1n,
      null_value_counts: new Map([[2, BigInt(nulls)]]),
      ...(lower === undefined ? {} : { lower_bounds: bound(lower) }),
      ...(upper === undefined ? {} : { upper_bounds: bound(upper) }),
    },
  };
}

Deno.test("newestFiles() keeps every file that can hold one of the newest rows", () => {
  const a = file("a", 10, 0, 9);
  const b = file("b", 10, 10, 19);
  const c = file("c", 10, 20, 29);
  const wide = file("wide", 10, 0, 25);
  const table: readonly [files: PlannedFile[], rows: number, kept: string[]][] = [
    [[a, b, c], 5, ["c"]],
    [[a, b, c], 10, ["c"]],
    [[a, b, c], 11, ["b", "c"]],
    [[a, b, c], 30, ["a", "b", "c"]],
    [[a, b, c], 31, ["a", "b", "c"]],
    [[a, wide, b, c], 5, ["wide", "c"]],
    // A tie with the last row counts.
    [[file("tie", 1, 5, 20), c], 10, ["tie", "c"]],
    // Nulls are not among the newest; a file without bounds may hold anything.
    [[a, b, file("nulls", 10, 20, 29, 8)], 5, ["b", "nulls"]],
    [[a, file("unknown", 10), c], 5, ["unknown", "c"]],
    [[a, b], 0, ["b"]],
  ];
  for (const [files, rows, kept] of table) {
    const found = newestFiles(files, { fieldId: 2, rows }).map((one) => one.path);
    assertEquals(found, kept, `${rows} rows of ${files.map((one) => one.path)}`);
  }
});

Deno.test("newestFiles() counts on a file's rows only where all of them lie in the range", () => {
  const files = [file("a", 10, 0, 9), file("b", 10, 10, 19), file("c", 10, 20, 29)];
  const table: readonly [from: bigint | undefined, to: bigint | undefined, kept: string[]][] = [
    [0n, 30n, ["c"]],
    [20n, undefined, ["c"]],
    // Planning has left out what lies before; of c it cannot know how many rows are left.
    [0n, 25n, ["b", "c"]],
    [15n, 25n, ["a", "b", "c"]],
    [undefined, 10n, ["a", "b", "c"]],
  ];
  for (const [from, to, kept] of table) {
    const found = newestFiles(files, {
      fieldId: 2,
      rows: 5,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    });
    assertEquals(found.map((one) => one.path), kept, `${from} to ${to}`);
  }
});

Deno.test("likelyStart() takes times as evenly spread within each file", () => {
  const a = file("a", 1000, 0, 1000);
  const b = file("b", 1000, 1000, 2000);
  const wide = file("wide", 2000, 0, 2000);
  const table: readonly [
    PlannedFile[],
    rows: number,
    range: (bigint | undefined)[],
    number?,
  ][] = [
    [[a, b], 100, [], 1900],
    [[a, b], 500, [], 1500],
    [[a, b], 1000, [], 1000],
    [[a, b], 1001, []], // hardly more rows than that
    [[wide, b], 300, [], 1850],
    [[a, b], 100, [undefined, 1500n], 1400],
    [[a, b], 100, [1000n, 1500n], 1400],
    [[a, b], 300, [1000n, 1500n]],
    [[a, b], 100, [3000n]],
    [[a, file("unknown", 50)], 100, [], 900],
    [[file("one moment", 50, 7, 7)], 10, [], 7],
    [[], 1, []],
  ];
  for (const [files, rows, [from, to], start] of table) {
    const likely = likelyStart(files, {
      fieldId: 2,
      rows,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    });
    const about = `${files.map((one) => one.path)} ${rows} ${from} ${to}: ${likely}`;
    // A microsecond is as exact as it gets.
    assertEquals(likely === undefined, start === undefined, about);
    assert(start === undefined || Math.abs(Number(likely) - start) <= 1, about);
  }
});
