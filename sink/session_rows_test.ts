import { assertEquals } from "@std/assert";
import { createMemoryBroker } from "../broker/memory.ts";
import type { ConsumedOffsets } from "../contracts/tables.ts";
import { openSessionFilter, SessionFilter } from "./session_rows.ts";
import { recordsOf } from "./testing_records.ts";

/** `a 08:15` = figures of session a at that time; `!` at the end: final. All start at 08:10. */
function figures(text: string): string {
  const [, id, time, mark] = /^(\w+) (\d\d:\d\d)(!?)$/.exec(text)!;
  return JSON.stringify({
    session_id: id,
    stage: "processor",
    start_timestamp: "2026-11-21T08:10:00.000Z",
    end_timestamp: `2026-11-21T${time}:00.000Z`,
    final: mark === "!",
    generated: 0,
    published: 0,
    processed: 1,
    stored: 0,
    alerts_generated: 0,
    dead_lettered: 0,
    rate_per_second: 0,
    latency_ms: { p50: null, p95: null, p99: null },
    schema_version: "1",
  });
}

function rows(filter: SessionFilter, texts: string[]): string[] {
  const records = recordsOf(texts.map((text) => ({ value: figures(text) })));
  return texts.filter((_, index) => filter.accept(records, index));
}

Deno.test("SessionFilter makes a row of the first figures of each new hour and of the final ones", () => {
  assertEquals(
    rows(new SessionFilter(), [
      "a 08:11",
      "a 08:59",
      "b 08:59",
      "a 09:00",
      "b 09:00",
      "a 09:01",
      "b 09:02!",
      "a 10:00",
      "a 12:00",
      "a 12:01!",
      "c 08:12!",
    ]),
    ["a 09:00", "b 09:00", "b 09:02!", "a 10:00", "a 12:00", "a 12:01!", "c 08:12!"],
  );
});

Deno.test("SessionFilter lets pass what is no figures, to be refused where it is seen", () => {
  const records = recordsOf([{ value: "x" }, { value: `{"a":1}` }, { value: null }]);
  const filter = new SessionFilter();
  assertEquals([0, 1, 2].map((index) => filter.accept(records, index)), [true, true, true]);
});

Deno.test("openSessionFilter() goes on where the table stands as if it had read the log itself", async () => {
  const texts = ["a 08:11", "a 09:00", "b 09:10", "a 09:30", "b 10:00", "a 10:00", "a 10:30!"];
  const broker = createMemoryBroker();
  await broker.createTopics([{ name: "sessions", partitions: 1 }]);
  const writer = await broker.openWriter();
  const values = texts.map((text) => new TextEncoder().encode(figures(text)));
  const batch = { keys: values.map(() => null), values };
  await writer.send([{ topic: "sessions", partition: 0, batch }]);
  const whole = rows(new SessionFilter(), texts);
  const records = recordsOf(texts.map((text) => ({ value: figures(text) })));
  for (let next = 0; next <= texts.length; next++) {
    const offsets: ConsumedOffsets | undefined = next === 0 ? undefined : {
      cluster: "memory",
      topics: { sessions: { id: "x", from: { 0: "0" }, next: { 0: String(next) } } },
    };
    const accept = await openSessionFilter(broker, "sessions", offsets);
    const rest = texts.filter((_, index) => index >= next && accept(records, index));
    assertEquals(rest, whole.filter((text) => texts.indexOf(text) >= next), `from ${next}`);
  }
});
