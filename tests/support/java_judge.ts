/**
 * Kafka's own Java client as the judge of what we write and the source of what we must read: its console
 * consumer and producer, from Maven beside the broker's jars.
 */
import { dirname, join } from "../../runtime/path.ts";
import { ensureJars } from "../../tasks/native/jars.ts";

const COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy";
const CONSUMER = "org.apache.kafka.tools.consumer.ConsoleConsumer";
const PRODUCER = "kafka.tools.ConsoleProducer";
/** How long the consumer waits for one more record than there should be: on a busy machine its JVM alone takes seconds. */
const QUIET_MS = 8_000;

/** The console programs of one Kafka address. */
export interface JavaJudge {
  /** One line per record of a partition from its start, read_committed: `Offset:n|headers|key|value`. */
  consume(topic: string, partition: number): Promise<string[]>;
  /** Sends lines `key=value` as records, compressed by `codec`. */
  produce(topic: string, lines: readonly string[], codec: string): Promise<void>;
}

/** Class path of Kafka's command-line tools, of the broker's own version. */
async function classPath(): Promise<string> {
  const { kafka } = await ensureJars();
  const names = Array.from(Deno.readDirSync(kafka), (entry) => entry.name);
  const version = names.map((name) => /^kafka-clients-(.*)\.jar$/.exec(name)?.[1])
    .find((found) => found !== undefined);
  const folder = join(dirname(dirname(kafka)), `jars-tools-${version}`);
  const jar = join(folder, `kafka-tools-${version}.jar`);
  const there = await Deno.stat(jar).then(() => true, () => false);
  if (!there) {
    const artifact = `org.apache.kafka:kafka-tools:${version}`;
    await run("mvn", ["-B", "-q", COPY, `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`]);
  }
  return [join(kafka, "*"), jar].join(":");
}

async function run(program: string, args: string[], input = ""): Promise<string> {
  const child = new Deno.Command(program, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder().decode(stdout);
  if (code !== 0) {
    throw new Error(
      `Cannot run "${program}": code ${code}: ${new TextDecoder().decode(stderr)}${text}`,
    );
  }
  return text;
}

/** Resolves the tools when they are missing, and points them at `kafka` (`host:port`). */
export async function startJavaJudge(kafka: string): Promise<JavaJudge> {
  const java = [
    "-cp",
    await classPath(),
    "-Xmx256m",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
  ];
  return {
    async consume(topic, partition) {
      const printed = ["offset", "key", "headers"].flatMap((what) => [
        "--property",
        `print.${what}=true`,
      ]);
      const output = await run("java", [
        ...java,
        CONSUMER,
        ...["--bootstrap-server", kafka, "--topic", topic, "--partition", `${partition}`],
        ...["--offset", "earliest", "--isolation-level", "read_committed"],
        ...["--timeout-ms", `${QUIET_MS}`, "--property", "key.separator=|"],
        ...printed,
      ]);
      return output.split("\n").filter((line) =>
        line !== "" && !line.startsWith("Processed a total")
      );
    },
    async produce(topic, lines, codec) {
      await run("java", [
        ...java,
        PRODUCER,
        ...["--bootstrap-server", kafka, "--topic", topic, "--compression-codec", codec],
        ...["--property", "parse.key=true", "--property", "key.separator=="],
      ], lines.map((line) => `${line}\n`).join(""));
    },
  };
}
