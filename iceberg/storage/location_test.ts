import { assertEquals, assertThrows } from "@std/assert";
import { isWithin, locationKey, parseLocation } from "./location.ts";
import { UnsafeLocationError } from "./port.ts";

Deno.test("locationKey() is the same for every spelling of a place", () => {
  // location                          key
  const table = [
    ["/warehouse/t/a.parquet", "file:///warehouse/t/a.parquet"],
    ["file:/warehouse/t/a.parquet", "file:///warehouse/t/a.parquet"],
    ["file:///warehouse//t/a.parquet", "file:///warehouse/t/a.parquet"],
    ["FILE://localhost/warehouse/t/a.parquet", "file:///warehouse/t/a.parquet"],
    ["s3a://bucket/t/a.parquet", "s3://bucket/t/a.parquet"],
    ["s3://bucket", "s3://bucket/"],
    ["/warehouse/day=a%2Fb", "file:///warehouse/day=a%2Fb"],
  ] as const;
  for (const [location, key] of table) assertEquals(locationKey(location), key);
});

Deno.test("parseLocation() refuses what could leave a folder", () => {
  for (const bad of ["", "a/b", "/a/../b", "/a/./b", "s3://b/..", "/a\nb", "C:\\a", "file:a"]) {
    assertThrows(() => parseLocation(bad), UnsafeLocationError);
  }
});

Deno.test("isWithin() compares whole segments", () => {
  const within = (folder: string, location: string) =>
    isWithin(parseLocation(folder), parseLocation(location));
  assertEquals(within("/a/b", "file:/a/b/c"), true);
  assertEquals(within("/a/b", "/a/b"), true);
  assertEquals(within("/a/b", "/a/bc"), false);
  assertEquals(within("/", "/a"), true);
  assertEquals(within("s3://x/a", "s3://y/a/b"), false);
});
