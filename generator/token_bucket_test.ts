import { assert, assertEquals } from "@std/assert";
import { createTokenBucket } from "./token_bucket.ts";

Deno.test("a bucket gives its rate over a minute, at any tick", () => {
  for (const rate of [0.5, 1, 10, 333, 1000, 20_000]) {
    for (const tickMs of [1, 7, 50, 400]) {
      const bucket = createTokenBucket(rate, 1000);
      let taken = 0;
      for (let t = tickMs; t <= 60_000; t += tickMs) taken += bucket.take(1e9, 1000 + t);
      const expected = rate * 60;
      assert(Math.abs(taken - expected) <= rate * tickMs / 1000 + 2, `${rate}/s each ${tickMs} ms`);
    }
  }
});

Deno.test("a machine that slept does not make up for it", () => {
  const bucket = createTokenBucket(100, 0);
  assertEquals(bucket.take(1e9, 3_600_000), 51);
  assertEquals(bucket.take(1e9, 3_600_010), 1);
});

Deno.test("waitMs() is the time to the next token", () => {
  const bucket = createTokenBucket(0.25, 0);
  assertEquals([bucket.waitMs(0), bucket.take(5, 0)], [0, 1]);
  assertEquals(bucket.waitMs(1000), 3000);
  assertEquals([bucket.take(1, 3999), bucket.take(1, 4000)], [0, 1]);
});

Deno.test("a new rate counts from its moment on; max gives what is wanted", () => {
  const bucket = createTokenBucket(10, 0);
  bucket.take(1, 0);
  bucket.setRate(1000, 100);
  assertEquals(bucket.take(1e9, 200), 101);
  bucket.setRate("max", 200);
  assertEquals([bucket.take(123_456, 200), bucket.waitMs(200)], [123_456, 0]);
  bucket.setRate(1, 200);
  assert(bucket.take(1e9, 200) <= 2);
});

Deno.test("a clock that is set back does not stop the flow", () => {
  const bucket = createTokenBucket(10, 10_000);
  bucket.take(1, 10_000);
  assertEquals(bucket.take(9, 5_000), 0);
  assertEquals(bucket.take(9, 5_500), 5);
});
