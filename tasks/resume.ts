/** `deno task resume`: shows where processor and tables wait for an operator; `--accept-gap` lets them go on. */
import { createKafkaBroker } from "../broker/kafka.ts";
import { EXIT, MisuseError, NotReadyError } from "../contracts/errors.ts";
import { settingsOf } from "../processor/context.ts";
import { acceptGap, findGaps, type GapReport, type ResumeContext } from "../processor/resume.ts";
import { brokerAddresses, readEnvironment } from "../runtime/env.ts";
import { readPipelineConfig } from "../runtime/pipeline_config.ts";
import { sleep } from "../runtime/retry.ts";
import { parseFlags, runTask } from "./cli.ts";
import { openLakehouse, withCatalogErrors } from "./lakehouse.ts";
import { resumeTables } from "./resume_tables.ts";

const HELP = `deno task resume [--accept-gap] [--partition N] [--from OFFSET]

Without flags it only looks: which partitions of the processor and of the tables cannot go on, and what
is gone.

  --accept-gap     what is gone is gone: record the gap and let the partition go on
  --partition N    only this partition of the processor, no table
  --from OFFSET    go on at this raw offset; with --partition. Found out by default: the log's start,
                   its end where it has lost its tail, behind the outputs' last trace where the
                   changelog is lost

Exit codes: 0 no gap is left, 1 there are gaps, 2 misuse, 3 Kafka or catalog
unreachable.`;

function readNumber(flags: Record<string, unknown>, name: string): number | undefined {
  const text = flags[name] as string | undefined;
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new MisuseError(`Cannot use "--${name} ${text}": expected a whole number`);
}

function printReport({ partition, position, gap }: GapReport): void {
  const at = position === undefined ? "no position" : `position ${position}`;
  console.log(`partition ${partition}: ${at}${gap === undefined ? ", no gap" : ""}`);
  if (gap !== undefined) console.log(`  ${gap.reason}`);
}

async function resume(
  context: ResumeContext,
  flags: { accept: boolean; partition: number | undefined; from: number | undefined },
): Promise<number> {
  const { accept, partition, from } = flags;
  const { signal } = new AbortController();
  const topic = context.topics.raw;
  const total = (await context.broker.topics([topic])).get(topic)?.partitions;
  if (total === undefined) throw new NotReadyError(`Cannot find topic "${topic}"`);
  if (partition !== undefined && partition >= total) {
    throw new MisuseError(
      `Cannot use "--partition ${partition}": "${topic}" has partitions 0 to ${total - 1}`,
    );
  }
  const partitions = partition === undefined ? Array.from({ length: total }, (_, i) => i) : [
    partition,
  ];
  const reports = await findGaps(context, partitions, signal);
  reports.forEach(printReport);
  const gaps = reports.filter((report) => report.gap !== undefined);
  if (!accept) return gaps.length === 0 ? EXIT.ok : EXIT.no;
  for (const report of gaps) {
    const accepted = await acceptGap(context, { partition: report.partition, from, signal });
    if (accepted === undefined) continue;
    const { kind, next } = accepted;
    const lost = accepted.to > accepted.from
      ? `, raw offsets ${accepted.from} to ${accepted.to - 1} are recorded as lost`
      : "";
    console.log(`partition ${report.partition}: ${kind} accepted, goes on at ${next}${lost}`);
  }
  return EXIT.ok;
}

if (import.meta.main) {
  await runTask(HELP, async (args) => {
    const flags = parseFlags(args, { boolean: ["accept-gap"], string: ["partition", "from"] });
    const partition = readNumber(flags, "partition");
    const from = readNumber(flags, "from");
    const accept = flags["accept-gap"] === true;
    if (from !== undefined && (partition === undefined || !accept)) {
      throw new MisuseError(`Cannot use "--from" without --accept-gap and --partition`);
    }
    const environment = readEnvironment();
    const config = await readPipelineConfig(environment);
    const { kafka, processor } = config;
    const brokers = brokerAddresses(environment, config);
    const broker = createKafkaBroker({ brokers, clientId: "resume" });
    const context: ResumeContext = {
      broker,
      topics: kafka.topics,
      group: processor.group,
      settings: settingsOf(processor),
      clock: { now: Date.now, sleep },
      sessionId: `resume-${crypto.randomUUID()}`,
    };
    try {
      const code = await resume(context, { accept, partition, from });
      if (partition !== undefined) return code;
      return await withCatalogErrors(async () => {
        const left = await resumeTables(await openLakehouse(), broker, { accept });
        return left === 0 ? code : EXIT.no;
      });
    } finally {
      await broker.close();
    }
  });
}
