import { assertEquals, assertRejects } from "@std/assert";
import { createDeadline, DeadlineError } from "./deadline.ts";
import { backoff, retry, sleep } from "./retry.ts";

Deno.test("backoff() doubles to its limit, jitters the upper half, starts over", () => {
  const low = backoff({ initialMs: 1000, maxMs: 60_000, random: () => 0 });
  const high = backoff({ initialMs: 1000, maxMs: 60_000, random: () => 1 });
  const seen = Array.from({ length: 8 }, () => [low.next(), high.next()]);
  assertEquals(seen, [
    [500, 1000],
    [1000, 2000],
    [2000, 4000],
    [4000, 8000],
    [8000, 16000],
    [16000, 32000],
    [30000, 60000],
    [30000, 60000],
  ]);
  high.reset();
  assertEquals(high.next(), 1000);
});

Deno.test("retry() tries again only what is named, and throws the last error", async () => {
  let calls = 0;
  const waits: number[] = [];
  const error = await assertRejects(
    () =>
      retry(() => Promise.reject(new RangeError(`try ${++calls}`)), {
        when: (error) => error instanceof RangeError,
        attemptsMax: 3,
        initialMs: 1,
        maxMs: 2,
        random: () => 0,
        onRetry: (_error, attempt) => waits.push(attempt),
      }),
    RangeError,
  );
  assertEquals([error.message, waits], ["try 3", [1, 2]]);
  await assertRejects(
    () => retry(() => Promise.reject(new TypeError("no")), { when: () => false }),
    TypeError,
  );
});

Deno.test("an abort ends a wait at once, and leaves no timer", async () => {
  const controller = new AbortController();
  const waiting = sleep(1_000_000, controller.signal);
  controller.abort(new Error("stop"));
  await assertRejects(() => waiting, Error, "stop");
  await assertRejects(() => sleep(1, controller.signal), Error, "stop");
});

Deno.test("a deadline is shared by those it is passed to", async () => {
  let now = 0;
  const deadline = createDeadline(100, { now: () => now });
  assertEquals(deadline.remainingMs(), 100);
  now = 70;
  assertEquals([deadline.remainingMs(), deadline.passed()], [30, false]);
  assertEquals(await deadline.race(Promise.resolve(1), "work"), 1);
  now = 100;
  assertEquals(deadline.passed(), true);
  await assertRejects(() => deadline.race(new Promise(() => {}), "flush"), DeadlineError, "flush");
});
