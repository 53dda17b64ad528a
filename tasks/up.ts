/** `deno task up`: starts the pipeline and returns to the prompt when all of it is ready. */
import { EXIT, MisuseError } from "../contracts/errors.ts";
import { GeneratorConfig } from "../contracts/generator_config.ts";
import { editConfigFile, editConfigText, parseConfigText } from "../runtime/config_file.ts";
import { displayPath } from "../runtime/env.ts";
import { join } from "../runtime/path.ts";
import { parseFlags, runTask } from "./cli.ts";
import { compose, engineAnswers } from "./docker/engine.ts";
import { claimDataFolder, makeFolders } from "./native/preflight.ts";
import { foreground } from "./native/foreground.ts";
import { currentPlace, type Place } from "./native/place.ts";
import { StartError } from "./native/service_spec.ts";
import { type Started, startNative } from "./native/start.ts";
import { Steps } from "./native/steps.ts";
import { NEXT_COMMANDS, serviceTable } from "./native/table.ts";

const HELP =
  `deno task up [--rate N|max] [--no-generator] [--foreground] [--native|--docker] [--no-install]

  Starts Kafka, the Iceberg REST catalog, generator, processor and sink: under Docker Compose where an
  engine answers, otherwise as local processes. Returns when all are ready. Run again it changes nothing.

  --rate N         transactions per second, written to generator.yaml ("max": as fast as Kafka takes them)
  --no-generator   leave the generator stopped (deno task restart generator starts it)
  --foreground     stay, tell what happens, and stop everything on Ctrl-C
  --native         local processes even where Docker answers
  --docker         Docker Compose, or fail
  --no-install     never install Java or Maven (otherwise apt-get does, for root on Debian and Ubuntu)

  PIPELINE_DATA_DIR, PIPELINE_CONFIG_DIR and PIPELINE_PORT_OFFSET give a second pipeline its own place.

Exit codes: 0 all ready, 1 started but not all ready, 2 misuse, 3 cannot be started.`;

interface UpFlags {
  rate: number | "max" | undefined;
  generator: boolean;
  foreground: boolean;
  native: boolean;
  docker: boolean;
  install: boolean;
}

function readFlags(args: string[]): UpFlags {
  const boolean = ["generator", "foreground", "native", "docker", "install"];
  const flags = parseFlags(args, { boolean, string: ["rate"] });
  const { native = false, docker = false } = flags as { native?: boolean; docker?: boolean };
  if (native && docker) {
    throw new MisuseError('Cannot use "--native" with "--docker": expected one of them');
  }
  return {
    rate: readRate(flags.rate as string | undefined),
    generator: flags.generator !== false,
    foreground: flags.foreground === true,
    native,
    docker,
    install: flags.install !== false,
  };
}

function readRate(text: string | undefined): number | "max" | undefined {
  if (text === undefined || text === "max") return text;
  const rate = Number(text);
  if (rate > 0 && GeneratorConfig.shape.rate_per_second.safeParse(rate).success) return rate;
  throw new MisuseError(`Cannot use "--rate ${text}": expected a number above 0, or max`);
}

/** As the console does: the running generator follows the file, with or without a restart. */
async function setRate(place: Place, rate: number | "max"): Promise<void> {
  const path = join(place.environment.configDir, "generator.yaml");
  await editConfigFile(path, {
    edit: (text) => editConfigText(text, ["rate_per_second"], rate),
    validate: (text) => {
      const parsed = parseConfigText(text, displayPath(path), GeneratorConfig);
      return parsed.ok ? [] : parsed.issues;
    },
  });
}

/** Aborts on Ctrl-C, so that a start which is interrupted can take back what it began. */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => controller.abort(name));
  }
  return controller.signal;
}

function printEnd({ state, already }: Started, seconds: number): number {
  const ready = state.services.every((service) => service.ready || service.state === "stopped");
  console.log("");
  for (const line of serviceTable(state)) console.log(line);
  const what = already ? "It was up already" : `Up after ${seconds.toFixed(1)} s`;
  console.log(`\n${what}${ready ? "." : ", but not all is ready (deno task status)."}`);
  console.log("Next:");
  for (const line of NEXT_COMMANDS) console.log(`  ${line}`);
  return ready ? EXIT.ok : EXIT.no;
}

async function upNative(place: Place, flags: UpFlags): Promise<number> {
  const began = performance.now();
  const signal = interruptSignal();
  const started = await startNative({
    place,
    steps: new Steps(),
    noGenerator: !flags.generator,
    noInstall: !flags.install,
    signal,
  });
  const code = printEnd(started, (performance.now() - began) / 1000);
  return flags.foreground ? await foreground(place, signal) : code;
}

async function upDocker(place: Place, flags: UpFlags): Promise<number> {
  await makeFolders(place);
  await claimDataFolder(place, "docker");
  const scale = flags.generator ? [] : ["--scale", "generator=0"];
  const wait = flags.foreground ? [] : ["--detach", "--wait"];
  await compose(place, ["up", "--build", ...wait, ...scale]);
  if (!flags.foreground) await compose(place, ["ps"]);
  return EXIT.ok;
}

if (import.meta.main) {
  await runTask(HELP, async (args) => {
    const flags = readFlags(args);
    const place = await currentPlace();
    try {
      if (flags.rate !== undefined) await setRate(place, flags.rate);
      const docker = !flags.native && await engineAnswers();
      if (flags.docker && !docker) {
        throw new StartError(
          'Cannot use "--docker": no Docker engine with Compose v2 answers.\n' +
            "Start it (sudo systemctl start docker), or run without: deno task up --native",
          EXIT.unreachable,
        );
      }
      return docker ? await upDocker(place, flags) : await upNative(place, flags);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      console.error(error.message);
      return error.exitCode;
    }
  });
}
