/** `deno task topics`: shows the topics; `--partitions N` grows them, outputs before the raw topic. */
import { createKafkaBroker } from "../broker/kafka.ts";
import type { Broker } from "../broker/port.ts";
import { EXIT, MisuseError } from "../contracts/errors.ts";
import type { PipelineConfig } from "../contracts/pipeline_config.ts";
import { TOPICS } from "../contracts/topics.ts";
import { brokerAddresses, readEnvironment } from "../runtime/env.ts";
import { readPipelineConfig } from "../runtime/pipeline_config.ts";
import { parseFlags, runTask } from "./cli.ts";

const HELP = `deno task topics [--partitions N]

  --partitions N   grow every topic that follows raw-transactions to N partitions, the processor's
                   outputs first. Accounts whose partition changes start with empty rule state.

Exit codes: 0 fine, 1 refused, 2 misuse, 3 Kafka unreachable.`;

/** Names of the topics that have as many partitions as raw-transactions, that one last. */
export function growOrder(config: PipelineConfig): string[] {
  const following = TOPICS.filter((topic) => topic.partitions === "all" && topic.role !== "raw");
  return [...following.map((topic) => config.kafka.topics[topic.role]), config.kafka.topics.raw];
}

async function grow(broker: Broker, config: PipelineConfig, partitions: number): Promise<void> {
  const names = growOrder(config);
  const existing = await broker.topics(names);
  for (const name of names) {
    const now = existing.get(name)?.partitions ?? 0;
    if (now > partitions) {
      throw new MisuseError(
        `Cannot use "--partitions ${partitions}": ${name} has ${now}, and Kafka only grows a topic`,
      );
    }
  }
  for (const name of names) {
    if ((existing.get(name)?.partitions ?? 0) < partitions) {
      await broker.growTopic(name, partitions);
    }
  }
}

async function show(broker: Broker, config: PipelineConfig): Promise<void> {
  const names = Object.values(config.kafka.topics);
  const topics = await broker.topics(names);
  for (const name of names) {
    const topic = topics.get(name);
    if (topic === undefined) {
      console.log(`${name.padEnd(20)} missing`);
      continue;
    }
    const offsets = await broker.offsets(name);
    const ends = offsets.map((at) => `${at.partition}: ${at.start}..${at.end}`).join("  ");
    console.log(`${name.padEnd(20)} ${String(topic.partitions).padStart(3)} partitions  ${ends}`);
  }
}

if (import.meta.main) {
  await runTask(HELP, async (args) => {
    const flags = parseFlags(args, { string: ["partitions"] });
    const wanted = flags.partitions as string | undefined;
    if (wanted !== undefined && !/^[1-9]\d{0,2}$/.test(wanted)) {
      throw new MisuseError(`Cannot use "--partitions ${wanted}": expected 1 to 999`);
    }
    const environment = readEnvironment();
    const config = await readPipelineConfig(environment);
    const broker = await createKafkaBroker({
      brokers: brokerAddresses(environment, config),
      clientId: "topics",
    });
    try {
      if (wanted !== undefined) await grow(broker, config, Number(wanted));
      await show(broker, config);
    } finally {
      await broker.close();
    }
    return EXIT.ok;
  });
}
