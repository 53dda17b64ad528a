/** The generator as a process against a real Kafka that is killed and comes back. */
import { assert, assertEquals } from "@std/assert";
import { createKafkaBroker } from "../broker/kafka.ts";
import type { Broker } from "../broker/port.ts";
import { StageStatus } from "../contracts/status.ts";
import { projectRoot } from "../runtime/env.ts";
import { ensureJars } from "../tasks/native/jars.ts";
import { freePortOffset } from "../tests/support/ports.ts";
import { freePort, startKafka } from "../tests/support/services.ts";

const UNTIL_MS_MAX = 60_000;

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + UNTIL_MS_MAX;
  while (performance.now() < deadline) {
    const seen = await look().catch(() => undefined);
    if (seen !== undefined) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Cannot see that ${what}: waited ${UNTIL_MS_MAX} ms`);
}

class GeneratorProcess {
  readonly #child: Deno.ChildProcess;
  readonly #port: number;
  readonly #log: Promise<string>;

  constructor(options: { kafka: string; dir: string }) {
    const offset = freePortOffset();
    this.#port = 7071 + offset;
    // The permissions that the supervisor gives, see tasks/native/stage_flags.ts.
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--allow-net=127.0.0.1",
        `--allow-read=${options.dir}`,
        "--allow-env=PIPELINE_*,KAFKAJS_*,NODE_ENV,NODE_DEBUG",
        "--allow-sys=hostname,statfs",
        `${projectRoot}/generator/main.ts`,
      ],
      env: {
        PIPELINE_PORT_OFFSET: String(offset),
        PIPELINE_DATA_DIR: options.dir,
        PIPELINE_CONFIG_DIR: options.dir,
        PIPELINE_KAFKA_BROKERS: options.kafka,
        PIPELINE_LISTEN: "127.0.0.1",
      },
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#log = new Response(this.#child.stdout).text();
  }

  async status(): Promise<StageStatus> {
    const response = await fetch(`http://127.0.0.1:${this.#port}/status`);
    return StageStatus.parse(await response.json());
  }

  /** Stops it; returns its exit code and its log's events. */
  async stop(signal: Deno.Signal): Promise<{ code: number; events: Record<string, unknown>[] }> {
    this.#child.kill(signal);
    const { code } = await this.#child.status;
    const lines = (await this.#log).trim().split("\n");
    return { code, events: lines.map((line) => JSON.parse(line)) };
  }
}

async function readIds(broker: Broker): Promise<string[]> {
  const reader = await broker.openReader();
  const ids: string[] = [];
  const text = new TextDecoder();
  for (const { partition, start, end } of await broker.offsets("raw-transactions")) {
    for (let offset = start; offset < end;) {
      const { records, nextOffset } = await reader.fetch("raw-transactions", partition, { offset });
      for (let i = 0; i < records.count; i++) {
        const value = records.bytes.subarray(records.valueStart[i]!, records.valueEnd[i]!);
        ids.push(JSON.parse(text.decode(value)).transaction_id);
      }
      offset = nextOffset;
    }
  }
  await reader.close();
  return ids;
}

async function writeConfig(dir: string, text: string): Promise<void> {
  await Deno.writeTextFile(`${dir}/generator.yaml`, text);
}

Deno.test("Kafka is killed twice under the generator: each record is there once", async (t) => {
  const jars = await ensureJars();
  const dir = await Deno.makeTempDir({ prefix: "generator_" });
  const place = { dir: `${dir}/kafka`, port: freePort(), controllerPort: freePort() };
  let kafka = await startKafka(jars, place);
  const broker = createKafkaBroker({ brokers: [kafka.address], clientId: "test" });
  await broker.createTopics([
    { name: "raw-transactions", partitions: 4 },
    { name: "pipeline-sessions", partitions: 1 },
  ]);
  await Deno.writeTextFile(`${dir}/pipeline.yaml`, "{}\n");
  await writeConfig(dir, "rate_per_second: 300\nmalformed_share: 0\n");
  let generator = new GeneratorProcess({ kafka: kafka.address, dir });
  let published = 0;
  const untilPublished = (more: number) =>
    until(`${more} more are published`, async () => {
      const { totals } = await generator.status();
      if (totals.published < published + more) return undefined;
      return published = totals.published;
    });
  try {
    await t.step("it goes on after Kafka was killed and started again", async () => {
      for (let round = 0; round < 2; round++) {
        await untilPublished(500);
        await kafka.kill();
        await until(
          "a send fails",
          async () =>
            (await generator.status()).errors.unreachable === undefined ? undefined : true,
        );
        kafka = await startKafka(jars, place);
      }
      await untilPublished(2000);
    });
    await t.step(
      "a broken edit changes nothing and is shown; a good one takes effect",
      async () => {
        await writeConfig(dir, "rate_per_second: fast\n");
        const { config, details } = await until("the error shows", async () => {
          const status = await generator.status();
          return status.config.errors.length > 0 ? status : undefined;
        });
        assertEquals([config.errors[0]!.line, config.errors[0]!.field, details.rate_per_second], [
          1,
          "rate_per_second",
          300,
        ]);
        await writeConfig(dir, "rate_per_second: 250\nmalformed_share: 0\n");
        await until(
          "the rate shows",
          async () => (await generator.status()).details.rate_per_second === 250 || undefined,
        );
      },
    );
    await t.step("SIGTERM sends what is held, kill -9 repeats nothing", async () => {
      const first = await generator.stop("SIGTERM");
      const stopped = first.events.find((line) => line.event === "stopped");
      assertEquals([first.code, stopped?.unsent], [0, 0]);
      let ids = await readIds(broker);
      assertEquals([ids.length, new Set(ids).size], [stopped?.published, stopped?.published]);
      published = 0;
      generator = new GeneratorProcess({ kafka: kafka.address, dir });
      await untilPublished(300);
      await generator.stop("SIGKILL");
      published = 0;
      generator = new GeneratorProcess({ kafka: kafka.address, dir });
      await untilPublished(300);
      await generator.stop("SIGTERM");
      ids = await readIds(broker);
      assert(ids.length > Number(stopped?.published) + 600);
      assertEquals(new Set(ids).size, ids.length);
    });
  } finally {
    await generator.stop("SIGKILL").catch(() => {});
    await broker.close();
    await kafka.kill();
    await Deno.remove(dir, { recursive: true });
  }
});
