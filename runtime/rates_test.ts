import { assert, assertEquals } from "@std/assert";
import { createLatency } from "./latency.ts";
import { createRate } from "./rates.ts";

Deno.test("perSecond() of a steady stream is its rate, from the first second on", () => {
  const rate = createRate();
  let now = 1_000_000_000_123;
  for (let i = 0; i < 1000; i++, now += 100) {
    rate.add(5, now);
    if (i < 10) continue;
    const measured = rate.perSecond(now + 99);
    assert(Math.abs(measured - 50) < 5.5, `${measured} at step ${i}`);
  }
});

Deno.test("perSecond() falls to 0 within the window after the stream ends", () => {
  const rate = createRate({ windowMs: 10_000 });
  for (let t = 0; t < 20_000; t += 100) rate.add(1, t);
  assert(rate.perSecond(25_000) > 4 && rate.perSecond(25_000) < 6);
  assertEquals(rate.perSecond(31_000), 0);
  assertEquals(rate.perSecond(99_000), 0);
});

Deno.test("a clock that is set back loses nothing", () => {
  const rate = createRate({ windowMs: 10_000 });
  rate.add(10, 50_000);
  rate.add(10, 40_000);
  assertEquals(rate.perSecond(60_000), 2);
});

Deno.test("percentiles() are at most 4 % above the exact ones", () => {
  const latency = createLatency();
  assertEquals(latency.percentiles(), { p50: null, p95: null, p99: null });
  for (let ms = 1; ms <= 1000; ms++) latency.observe(ms);
  const { p50, p95, p99 } = latency.percentiles();
  for (const [measured, exact] of [[p50, 500], [p95, 950], [p99, 990]] as const) {
    assert(measured! >= exact * 0.999 && measured! <= exact * 1.041, `${measured} for ${exact}`);
  }
});

Deno.test("percentiles() forget after two windows, and Infinity never does", () => {
  const recent = createLatency({ windowMs: 60_000 });
  const whole = createLatency({ windowMs: Infinity });
  for (const latency of [recent, whole]) {
    latency.rotate(0);
    latency.observe(-5, 3);
    latency.rotate(60_000);
    assertEquals(latency.percentiles().p50, 0.1);
    latency.rotate(120_000);
  }
  assertEquals(recent.percentiles().p50, null);
  assertEquals(whole.percentiles().p50, 0.1);
});
