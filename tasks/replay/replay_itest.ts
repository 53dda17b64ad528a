/** The command itself: inputs of every kind into a real Kafka, and its exit codes. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { gzipSync } from "node:zlib";
import { createKafkaBroker } from "../../broker/kafka.ts";
import { partitionOf } from "../../broker/murmur2.ts";
import { projectRoot } from "../../runtime/env.ts";
import { freePort, startServices } from "../../tests/support/services.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the command as a user's shell would, from `dir`. */
async function runReplay(
  args: string[],
  options: { dir: string; kafka: string; stdin?: Uint8Array },
): Promise<Run> {
  const { dir, kafka, stdin } = options;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${projectRoot}/tasks/replay.ts`, ...args],
    env: {
      INIT_CWD: dir,
      PIPELINE_CONFIG_DIR: dir,
      PIPELINE_DATA_DIR: dir,
      PIPELINE_KAFKA_BROKERS: kafka,
      NO_COLOR: "1",
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  if (stdin !== undefined) await writer.write(stdin);
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("deno task replay sends files, gzip and standard input, bytes as they are", async (t) => {
  const services = await startServices({ catalog: false });
  const { dir, kafka } = services;
  const topic = `raw-${crypto.randomUUID()}`;
  const outputs = { transactions: `t-${topic}`, deadLetter: `d-${topic}`, alerts: `a-${topic}` };
  const broker = createKafkaBroker({ brokers: [kafka], clientId: "test" });
  const names = [topic, ...Object.values(outputs)];
  await broker.createTopics(names.map((name) => ({ name, partitions: 3 })));
  const topics = { raw: topic, ...outputs };
  await Deno.writeTextFile(`${dir}/pipeline.yaml`, JSON.stringify({ kafka: { topics } }));
  const line = (id: string) => `{"account_id":"${id}","timestamp":"2020-01-01T00:00:0${id}Z"}`;
  try {
    await t.step("each line is one record, in its account's partition", async () => {
      await Deno.writeTextFile(`${dir}/a.ndjson`, `${line("1")}\r\n\r\n${line("2")}\n{"account`);
      const members = [`${line("3")}\n`, `${line("4")}`].map((text) => gzipSync(text));
      await Deno.writeFile(`${dir}/b.gz`, new Uint8Array(members.flatMap((one) => [...one])));
      const stdin = new Uint8Array([...encoder.encode(line("5") + "\n"), 0xff, 10]);
      const run = await runReplay(["a.ndjson", "b.gz", "-", "--json"], { dir, kafka, stdin });
      assertEquals(run.code, 0, run.stderr);
      const result = JSON.parse(run.stdout);
      assertEquals([result.sent, result.keyless, result.blank, result.crlf], [7, 2, 1, 2]);
      const expected = ["1", "2", "3", "4", "5"].map((id) =>
        `${partitionOf(encoder.encode(id), 3)} ${id} ${line(id)}`
      );
      // Line 4 of the first input, line 2 of the third.
      expected.push('1 null {"account', "2 null \u00ff");
      const reader = await broker.openReader();
      const records: string[] = [];
      for (const partition of [0, 1, 2]) {
        const { records: batch } = await reader.fetch(topic, partition, { offset: 0 });
        for (let i = 0; i < batch.count; i++) {
          const slice = (from: number, to: number) =>
            from < 0 ? "null" : new TextDecoder("latin1").decode(batch.bytes.slice(from, to));
          const key = slice(batch.keyStart[i]!, batch.keyEnd[i]!);
          records.push(`${partition} ${key} ${slice(batch.valueStart[i]!, batch.valueEnd[i]!)}`);
          assertEquals(decoder.decode(batch.header(i, "schema_version")), "1");
        }
      }
      await reader.close();
      assertEquals(records.toSorted(), expected.toSorted());
    });
    await t.step("--retime reads standard input twice", async () => {
      const before = Date.now();
      const options = { dir, kafka, stdin: encoder.encode(`${line("2")}\n${line("9")}\n`) };
      const ends = await broker.offsets(topic);
      const run = await runReplay(["-", "--retime"], options);
      assertEquals(run.code, 0, run.stderr);
      assertStringIncludes(run.stdout, "sent           2 lines");
      const partition = partitionOf(encoder.encode("9"), 3);
      const reader = await broker.openReader();
      const { records } = await reader.fetch(topic, partition, { offset: ends[partition]!.end });
      const at = records.count - 1;
      const value = records.bytes.slice(records.valueStart[at]!, records.valueEnd[at]!);
      const shifted = Date.parse(JSON.parse(decoder.decode(value)).timestamp);
      assert(shifted >= before && shifted <= Date.now(), `${shifted}`);
      await reader.close();
    });
    await t.step(
      "--wait without a processor times out with exit 1 and names what is missing",
      async () => {
        const run = await runReplay(["-", "--wait", "stored", "--timeout", "1s"], {
          dir,
          kafka,
          stdin: encoder.encode(line("1")),
        });
        assertEquals(run.code, 1, run.stderr);
        assertStringIncludes(run.stdout, `1 of 1 lines have not come out, such as ${topic}/`);
      },
    );
    await t.step("a gzip that is cut off is said to be", async () => {
      const whole = gzipSync(encoder.encode(`${line("1")}\n`.repeat(1000)));
      await Deno.writeFile(`${dir}/cut.gz`, whole.subarray(0, whole.length - 20));
      const run = await runReplay(["cut.gz"], { dir, kafka });
      assertEquals(run.code, 2);
      assertStringIncludes(run.stderr, 'Cannot unpack "');
    });
    await t.step("misuse is 2, an unreachable Kafka 3", async () => {
      const missing = await runReplay(["a.ndjson", "nope.ndjson"], { dir, kafka });
      assertEquals(missing.code, 2);
      assertStringIncludes(missing.stderr, "no such file");
      assertEquals((await runReplay(["a.ndjson", "--rate", "fast"], { dir, kafka })).code, 2);
      assertEquals((await runReplay([], { dir, kafka })).code, 2);
      const nowhere = await runReplay(["a.ndjson"], { dir, kafka: `127.0.0.1:${freePort()}` });
      assertEquals(nowhere.code, 3, nowhere.stderr);
    });
  } finally {
    await broker.deleteTopics(names);
    await broker.close();
    await services.stop();
  }
});
