import { assertEquals } from "@std/assert";
import { afterDeath, NEVER_DIED } from "./restart_policy.ts";

Deno.test("afterDeath() doubles the wait up to 30 s", () => {
  const waits: number[] = [];
  let memory = NEVER_DIED;
  for (let death = 0; death < 10; death += 1) {
    const decision = afterDeath(memory, 100);
    waits.push(decision.waitMs);
    memory = decision.memory;
  }
  assertEquals(waits, [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
});

Deno.test("afterDeath() starts from the beginning after a minute alive", () => {
  assertEquals(afterDeath({ deaths: 9 }, 60_000), { waitMs: 250, memory: { deaths: 1 } });
  assertEquals(afterDeath({ deaths: 9 }, 59_999).waitMs, 30_000);
});
