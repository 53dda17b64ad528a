/** What a toy world must have put out, recomputed from its raw log and its rule boundaries alone. */
import { assertEquals } from "@std/assert";
import { toyVersion } from "./toy_core.ts";
import { TOPICS, type World } from "./world.ts";

const VERSIONS = new Map(Array.from({ length: 50 }, (_, n) => [toyVersion(n), n]));

/** Asserts that outputs hold each input exactly once, in order, and exactly the right alerts. */
export async function assertExactlyOnce(
  world: World<never, never>,
  partitions: number,
  hint: string,
): Promise<void> {
  for (let partition = 0; partition < partitions; partition++) {
    const where = `${hint}, partition ${partition}`;
    const raw = await world.read(TOPICS.raw, partition);
    const boundaries = await world.boundaries(partition);
    const counts = new Map<string, number>();
    const good: string[] = [];
    const bad: string[] = [];
    const alerts: string[] = [];
    for (const { offset, value } of raw) {
      const trace = `${TOPICS.raw}/${partition}/${offset}`;
      if (value.startsWith("!")) {
        bad.push(`${trace} ${value}`);
        continue;
      }
      good.push(`${trace} ${value}`);
      const account = value.slice(0, value.indexOf(":"));
      const count = (counts.get(account) ?? 0) + 1;
      counts.set(account, count);
      const boundary = boundaries.findLast((one) => one.offset <= offset)!;
      const every = VERSIONS.get(boundary.rulesVersion)!;
      if (count % every === 0) alerts.push(`${trace} ${boundary.rulesVersion} at ${count}`);
    }
    for (
      const [topic, expected] of [
        [TOPICS.transactions, good],
        [TOPICS.deadLetter, bad],
        [TOPICS.alerts, alerts],
      ] as const
    ) {
      const seen = (await world.read(topic, partition)).map(({ trace, value }) =>
        `${trace} ${value}`
      );
      assertEquals(seen, expected, `${where}: ${topic}`);
    }
  }
}
