import { assert, assertEquals } from "@std/assert";
import { createBreaker } from "./breaker.ts";

Deno.test("ten failed sends open the breaker; waits grow from 1 s to 60 s", () => {
  const breaker = createBreaker({ random: () => 1 });
  for (let i = 1; i < 10; i++) {
    assert(breaker.failed() <= 1000);
    assertEquals(breaker.state, "closed");
  }
  const waits = [breaker.failed()];
  assertEquals(breaker.state, "open");
  for (let i = 0; i < 7; i++) {
    breaker.trying();
    assertEquals(breaker.state, "half_open");
    waits.push(breaker.failed());
  }
  assertEquals(waits, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
});

Deno.test("one success closes it and starts the count over", () => {
  const breaker = createBreaker({ random: () => 1 });
  for (let i = 0; i < 12; i++) breaker.failed();
  breaker.trying();
  assertEquals(breaker.succeeded(), true);
  assertEquals([breaker.state, breaker.failures, breaker.succeeded()], ["closed", 0, false]);
  for (let i = 0; i < 9; i++) breaker.failed();
  assertEquals(breaker.state, "closed");
  assertEquals(breaker.failed(), 1000);
});

Deno.test("nine failures between successes never open it", () => {
  const breaker = createBreaker();
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 9; i++) breaker.failed();
    breaker.succeeded();
  }
  assertEquals(breaker.state, "closed");
});
