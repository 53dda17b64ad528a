/** `deno task console`: the full-screen terminal from which the pipeline is watched and steered. */
import process from "node:process";
import { createKafkaBroker } from "../broker/kafka.ts";
import type { ConsolePorts, LogBatch, VerbResult } from "../console/ports.ts";
import type { Settings } from "../console/store/state.ts";
import { EXIT, MisuseError } from "../contracts/errors.ts";
import { SERVICE_NAMES } from "../contracts/services.ts";
import { restCatalog } from "../iceberg/catalog/rest.ts";
import {
  brokerAddresses,
  displayPath,
  type Environment,
  projectRoot,
  readEnvironment,
  resolveCallerPath,
} from "../runtime/env.ts";
import { catalogOptions } from "../runtime/lakehouse.ts";
import { join } from "../runtime/path.ts";
import { readPipelineConfig } from "../runtime/pipeline_config.ts";
import { parseFlags, runTask } from "./cli.ts";
import { layoutOf, logPath } from "./native/layout.ts";
import { lastLines, LogFollower } from "./native/log_files.ts";
import { openCollector } from "./status/collect.ts";

const HELP =
  `deno task console [--read-only] [--at HOST] [--color always|never] [--ascii] [--figures]

  Watches the pipeline and steers it: ? shows the keys, q quits. Attaches to what PIPELINE_DATA_DIR,
  PIPELINE_CONFIG_DIR and PIPELINE_PORT_OFFSET name; if nothing runs there it offers to start it.

  --read-only   hide and refuse everything that changes something
  --at HOST     attach to the pipeline of another machine by its ports; read-only
  --color W     always or never; by default 16 colours, none where NO_COLOR is set
  --ascii       no braille and no box characters
  --figures     print frames, CPU and memory at the end

Exit codes: 0 quit, 1 it crashed, 2 misuse, 130 ended by a signal.`;

/** Lines of each log that are shown at the start. */
const LOG_LINES_FIRST = 60;

/** The environment of another machine's pipeline. */
function environmentAt(environment: Environment, host: string): Environment {
  const { ports } = environment;
  return {
    ...environment,
    kafkaBrokers: [`${host}:${ports.kafka}`],
    catalogUri: `http://${host}:${ports.catalog}`,
  };
}

/** Sets what Ink and React read while they load (L5, L6). */
function setUpTerminal(color: string | undefined): void {
  if (color !== undefined && color !== "always" && color !== "never") {
    throw new MisuseError(`Cannot use "--color ${color}": expected always or never`);
  }
  const none = color === "never" || (color === undefined && (process.env.NO_COLOR ?? "") !== "");
  process.env.NODE_ENV = "production";
  process.env.FORCE_COLOR = none ? "0" : "1";
  delete process.env.NO_COLOR;
}

function logReader(dataDir: string): () => Promise<LogBatch[]> {
  const layout = layoutOf(dataDir);
  const programs = [...SERVICE_NAMES, "supervisor" as const];
  const followers = programs.map((program) => ({
    program,
    path: logPath(layout, program),
    log: new LogFollower(logPath(layout, program)),
  }));
  let begun = false;
  return async () => {
    if (begun) {
      return await Promise.all(
        followers.map(async ({ program, log }) => ({ program, lines: await log.read() })),
      );
    }
    begun = true;
    return await Promise.all(followers.map(async ({ program, path, log }) => {
      await log.skipToEnd();
      return { program, lines: await lastLines(path, LOG_LINES_FIRST) };
    }));
  };
}

/** Runs a verb as by hand; the child's lines are handed over as they come. */
async function runVerb(
  words: readonly string[],
  onLine: (line: string) => void = () => {},
): Promise<VerbResult> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", ...words],
    cwd: projectRoot,
    env: { NO_COLOR: "1", NODE_ENV: "" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  async function collect(stream: ReadableStream<Uint8Array>): Promise<string> {
    let text = "";
    let rest = "";
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      lines.forEach(onLine);
    }
    if (rest !== "") onLine(rest);
    return text;
  }
  const [stdout, stderr, { code }] = await Promise.all([
    collect(child.stdout),
    collect(child.stderr),
    child.status,
  ]);
  return { code, stdout, stderr };
}

/** Verbs of deno.json whose program is there. */
async function taskNames(): Promise<ReadonlySet<string>> {
  const text = await Deno.readTextFile(join(projectRoot, "deno.json"));
  const { tasks } = JSON.parse(text) as { tasks: Record<string, string> };
  const there = await Promise.all(
    Object.entries(tasks).map(async ([name, command]) => {
      const program = /tasks\/\S+\.ts/.exec(command)?.[0];
      const found = program !== undefined &&
        await Deno.stat(join(projectRoot, program)).then(() => true, () => false);
      return found ? [name] : [];
    }),
  );
  return new Set(there.flat());
}

interface ConsoleFlags {
  host: string | undefined;
  readOnly: boolean;
  ascii: boolean;
}

async function wire(flags: ConsoleFlags): Promise<ConsolePorts & { close: () => Promise<void> }> {
  const { host } = flags;
  const here = readEnvironment();
  const environment = host === undefined ? here : environmentAt(here, host);
  const config = await readPipelineConfig(environment);
  const collector = openCollector(environment, config, host === undefined ? {} : { host });
  const settings: Settings = {
    readOnly: host !== undefined ? "attached by address" : flags.readOnly ? "asked for" : false,
    ascii: flags.ascii,
    target: host ?? displayPath(environment.dataDir),
    verbs: await taskNames(),
  };
  return {
    settings,
    now: Date.now,
    collect: () => collector.parts(),
    openBroker: () =>
      createKafkaBroker({ brokers: brokerAddresses(environment, config), clientId: "console" }),
    openCatalog: () => restCatalog(catalogOptions(environment, config)),
    topics: config.kafka.topics,
    groups: { processor: config.processor.group, sink: config.sink.group },
    runVerb,
    exportFolder: resolveCallerPath("."),
    ...(host === undefined
      ? {
        readLogs: logReader(environment.dataDir),
        files: {
          rules: join(environment.configDir, "alerting-rules.yaml"),
          generator: join(environment.configDir, "generator.yaml"),
        },
      }
      : {}),
    close: () => collector.close(),
  };
}

if (import.meta.main) {
  await runTask(HELP, async (args) => {
    const flags = parseFlags(args, {
      boolean: ["read-only", "ascii", "figures"],
      string: ["at", "color"],
    });
    if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) {
      throw new MisuseError(
        "Cannot show the console: it needs a terminal; deno task status --watch does not",
      );
    }
    setUpTerminal(flags.color as string | undefined);
    const ports = await wire({
      host: flags.at as string | undefined,
      readOnly: flags["read-only"] === true,
      ascii: flags.ascii === true,
    });
    // Not before: Ink, chalk and React read the environment while they load.
    const { runConsole } = await import("../console/run.tsx");
    const began = performance.now();
    let frames = 0;
    const code = await runConsole(ports, { onFrame: () => frames++ });
    await ports.close();
    if (flags.figures === true && Deno.stdout.isTerminal() && code !== EXIT.interrupted) {
      const seconds = (performance.now() - began) / 1000;
      const { user, system } = process.cpuUsage();
      console.log(
        `${seconds.toFixed(0)} s, ${(frames / seconds).toFixed(2)} frames/s, ` +
          `${((user + system) / 1e4 / seconds).toFixed(1)} % of a core, ` +
          `${(Deno.memoryUsage().rss / 1024 ** 2).toFixed(0)} MiB`,
      );
    }
    return code;
  });
}
