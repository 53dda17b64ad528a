import { assertEquals } from "@std/assert";
import { ConservationCounter, type OutputRecords, PENDING_MAX } from "./conservation.ts";

function counter(): ConservationCounter {
  const made = new ConservationCounter();
  made.begin(0, 100);
  return made;
}

/** Outputs of these raw offsets, the first at offset 0 of its own topic. */
function outputs(traces: number[]): OutputRecords {
  return { offsets: traces.map((_, index) => index), traces };
}

Deno.test("records that went on are processed, the others in flight", () => {
  const made = counter();
  made.raw(0, [99, 100, 101, 102]);
  made.transactions(0, outputs([98, 100, 101]));
  const { raw, processed, missing, surplus } = made.counts();
  assertEquals({ raw, processed, missing, surplus }, {
    raw: 3,
    processed: 2,
    missing: 0,
    surplus: 0,
  });
});

Deno.test("an output may be read before its raw record", () => {
  const made = counter();
  made.transactions(0, outputs([100]));
  made.raw(0, [100]);
  made.settle(0, 101);
  assertEquals([made.counts().processed, made.counts().surplus], [1, 0]);
});

Deno.test("a settled raw record without an output is missing, once", () => {
  const made = counter();
  made.raw(0, [100, 101, 102]);
  made.transactions(0, outputs([100]));
  made.settle(0, 102);
  made.settle(0, 102);
  assertEquals([made.counts().missing, made.counts().raw - made.counts().processed], [1, 2]);
});

Deno.test("an output that came twice, and one that nothing asked for, are too many", () => {
  const made = counter();
  made.raw(0, [100, 102]);
  made.transactions(0, outputs([100, 100, 101]));
  made.settle(0, 102);
  assertEquals([made.counts().processed, made.counts().surplus], [1, 2]);
});

Deno.test("of what was processed, dead letters and transactions below the table's offsets are told apart", () => {
  const made = counter();
  made.raw(0, [100, 101, 102, 103]);
  made.transactions(0, { offsets: [7, 8, 10], traces: [99, 100, 102] });
  made.deadLetters(0, { traces: [101] });
  const told = () => {
    const { processed, dead, inTable } = made.counts();
    return { processed, dead, inTable };
  };
  assertEquals(told(), { processed: 3, dead: 1, inTable: 0 });
  made.table(5000, new Map([[0, 9]]));
  assertEquals(told(), { processed: 3, dead: 1, inTable: 1 });
  made.table(5001, new Map([[0, 11]]));
  assertEquals(told(), { processed: 3, dead: 1, inTable: 2 });
});

Deno.test("a record without a trace is none of the counted ones", () => {
  const made = counter();
  made.transactions(0, { offsets: [7], traces: [NaN] });
  assertEquals([made.counts().processed, made.counts().surplus], [0, 0]);
});

Deno.test("rows gained are held against records below the committed offsets", () => {
  const made = counter();
  made.table(5000, new Map([[0, 40]]));
  made.transactions(0, { offsets: [40, 41, 43], traces: [1, 2, 3] });
  made.table(5002, new Map([[0, 43]]));
  assertEquals([made.counts().consumed, made.counts().stored], [2, 2]);
  made.table(5002, new Map([[0, 44]]));
  assertEquals([made.counts().consumed, made.counts().stored], [3, 2]);
});

Deno.test("counting stops with a reason where too much waits", () => {
  const made = counter();
  made.raw(0, Array.from({ length: PENDING_MAX + 1 }, (_, i) => 100 + i));
  assertEquals(made.counts().paused, `not counted: more than ${PENDING_MAX} records wait`);
});
