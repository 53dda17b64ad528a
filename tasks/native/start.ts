/** `deno task up` without Docker: checks, resolves, starts the supervisor, and follows it until all is ready. */
import { EXIT } from "../../contracts/errors.ts";
import { SERVICE_NAMES, STAGE_NAMES } from "../../contracts/services.ts";
import { projectRoot } from "../../runtime/env.ts";
import { join } from "../../runtime/path.ts";
import { ensureJars, findJars, JarsError, NATIVE_DIR } from "./jars.ts";
import { logPath, pidPath } from "./layout.ts";
import { lastLines } from "./log_files.ts";
import { ownsJava } from "./ownership.ts";
import type { Place } from "./place.ts";
import {
  aptInstall,
  canInstall,
  checkPorts,
  checkResources,
  claimDataFolder,
  makeFolders,
  missingPrograms,
  missingProgramsError,
} from "./preflight.ts";
import { isAlive, readPidFile, signal, sleep, spawnRecorded } from "./process.ts";
import { StartError } from "./service_spec.ts";
import { liveState, sendRequest, type StartStep, type SupervisorState } from "./state.ts";
import { progressBar, type Steps } from "./steps.ts";

/** Size of all jars together, for the progress bar only. */
const JARS_BYTES_ABOUT = 83 * 1024 ** 2;
const POLL_MS = 100;
const SUPERVISOR_MS_MAX = 20_000;

/** How long a generator that is started by a second `up` may take, in ms. */
const GENERATOR_MS_MAX = 30_000;

/** Flags of `up` that matter here. */
export interface StartOptions {
  place: Place;
  steps: Steps;
  /** Leaves the generator stopped. */
  noGenerator: boolean;
  /** Forbids `apt-get install`. */
  noInstall: boolean;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}

/** What {@linkcode startNative} came to. */
export interface Started {
  /** The state once everything is ready (or a stage says why it is not). */
  state: SupervisorState;
  /** True when it ran before and nothing was done. */
  already: boolean;
}

/**
 * Starts what does not run yet.
 *
 * @throws {StartError} when it cannot be; nothing of this start is left then.
 */
export async function startNative(options: StartOptions): Promise<Started> {
  const { place, signal } = options;
  const running = await liveState(place.layout);
  if (running?.phase === "running") return await completeStart(running, options);
  if (running !== undefined && running.phase !== "starting") await untilGone(place);
  if (running?.phase !== "starting") {
    await prepare(options);
    if (signal.aborted) throw new StartError("Stopped before anything was started", 130);
    await spawnSupervisor(options);
  }
  return { state: await follow(options), already: false };
}

/** It runs; only a generator that an earlier `up --no-generator` left out may be missing. */
async function completeStart(
  running: SupervisorState,
  { place, noGenerator }: StartOptions,
): Promise<Started> {
  const generator = running.services.find((service) => service.name === "generator");
  if (noGenerator || generator?.state !== "stopped") return { state: running, already: true };
  await sendRequest(place.layout, { action: "start", service: "generator" });
  const deadlineMs = performance.now() + GENERATOR_MS_MAX;
  while (performance.now() < deadlineMs) {
    await sleep(100);
    const state = await liveState(place.layout) ?? running;
    const { ready = false } = state.services.find((one) => one.name === "generator") ?? {};
    if (ready) return { state, already: false };
  }
  throw new StartError(
    `Cannot start the generator: not ready after ${GENERATOR_MS_MAX / 1000} s; ` +
      `deno task logs generator says why`,
    EXIT.unreachable,
  );
}

async function prepare(options: StartOptions): Promise<void> {
  const { place, steps, noInstall } = options;
  const missing = await missingPrograms(place);
  if (missing.length > 0) {
    if (noInstall || !await canInstall()) throw missingProgramsError(missing);
    const packages = missing.flatMap((one) => one.packages);
    await steps.run("install", async (show) => {
      show(`apt-get install ${packages.join(" ")} (--no-install forbids it)`);
      await aptInstall(packages);
      return { value: undefined, detail: `${packages.join(" ")} by apt-get` };
    });
    const still = await missingPrograms(place);
    if (still.length > 0) throw missingProgramsError(still);
  }
  await steps.run("checks", async () => {
    await makeFolders(place);
    await claimDataFolder(place, "native");
    await checkResources(place);
    checkPorts(place, await aliveServices(place));
    return { value: undefined, detail: `data in ${place.layout.root}` };
  });
  if (ownsJava(place)) await steps.run("jars", resolveJars);
  await steps.run("modules", cacheModules);
}

async function resolveJars(
  show: (detail: string) => void,
): Promise<{ value: void; detail: string }> {
  if (await findJars() !== undefined) return { value: undefined, detail: "there already" };
  let bytes = 0;
  try {
    await ensureJars({
      onLine: (line) => {
        const size = /Downloaded from .*\.jar \(([\d.]+) (kB|MB)/.exec(line);
        if (size === null) return;
        bytes += Number(size[1]) * (size[2] === "MB" ? 1e6 : 1e3);
        show(`${progressBar(bytes / JARS_BYTES_ABOUT)} ${(bytes / 1e6).toFixed(1)} MB`);
      },
    });
  } catch (error) {
    if (!(error instanceof JarsError)) throw error;
    throw new StartError(`${error.message}\n${error.output}`.trim(), EXIT.unreachable);
  }
  return { value: undefined, detail: bytes === 0 ? "from Maven's cache" : "downloaded by Maven" };
}

/** Afterwards the stages start without the network. */
async function cacheModules(
  show: (detail: string) => void,
): Promise<{ value: void; detail: string }> {
  const entries = [
    ...STAGE_NAMES.map((name) => join(projectRoot, name, "main.ts")),
    join(NATIVE_DIR, "supervisor.ts"),
    join(projectRoot, "tasks", "create_topics.ts"),
    join(projectRoot, "tasks", "query.ts"),
  ];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["cache", ...entries],
    cwd: projectRoot,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let text = "";
  let files = 0;
  for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
    text = (text + part).slice(-4000);
    files += part.split("Download ").length - 1;
    if (files > 0) show(`${files} files downloaded`);
  }
  if ((await child.status).success) {
    return {
      value: undefined,
      detail: files === 0 ? "there already" : `${files} files downloaded`,
    };
  }
  throw new StartError(`Cannot resolve the npm packages: ${text.trim()}`, EXIT.unreachable);
}

/** Services of a supervisor that was killed: the next one adopts or replaces them. */
async function aliveServices(place: Place): Promise<Set<string>> {
  const alive = new Set<string>();
  for (const name of SERVICE_NAMES) {
    const process = await readPidFile(pidPath(place.layout, name));
    if (process !== undefined && await isAlive(process)) alive.add(name);
  }
  return alive;
}

async function spawnSupervisor({ place, noGenerator }: StartOptions): Promise<void> {
  const { environment, layout } = place;
  const child = spawnRecorded({
    command: [
      Deno.execPath(),
      "run",
      "--cached-only",
      "--quiet",
      "--v8-flags=--max-old-space-size=128",
      "-A",
      join(NATIVE_DIR, "supervisor.ts"),
      ...(noGenerator ? ["generator"] : []),
    ],
    env: {
      ...Deno.env.toObject(),
      PIPELINE_DATA_DIR: environment.dataDir,
      PIPELINE_CONFIG_DIR: environment.configDir,
      PIPELINE_PORT_OFFSET: String(environment.portOffset),
    },
    cwd: layout.root,
    pidFile: join(layout.run, "supervisor.spawned"),
    logFile: logPath(layout, "supervisor"),
  });
  child.unref();
  const deadline = performance.now() + SUPERVISOR_MS_MAX;
  let ended = false;
  child.status.then(() => ended = true);
  while (await liveState(layout) === undefined) {
    if (ended || performance.now() > deadline) {
      const lines = await lastLines(logPath(layout, "supervisor"), 15);
      throw new StartError(
        `Cannot start the supervisor; its log ends:\n${lines.join("\n")}`,
        EXIT.unreachable,
      );
    }
    await sleep(POLL_MS / 2);
  }
}

async function follow({ place, steps, signal: stop }: StartOptions): Promise<SupervisorState> {
  const printed = new Set<string>();
  const began = performance.now();
  let last: SupervisorState | undefined;
  while (true) {
    const state = await liveState(place.layout);
    if (stop.aborted) {
      await stopSupervisor(place);
      throw new StartError("Stopped; nothing of this start is left", EXIT.interrupted);
    }
    if (state === undefined) throw await startFailed(place, last);
    last = state;
    printSteps(state.steps, { printed, steps, sinceMs: performance.now() - began });
    if (state.phase === "running") return state;
    if (state.phase === "failed") {
      await untilGone(place);
      throw new StartError(state.error ?? "Cannot start", state.exit_code);
    }
    await sleep(POLL_MS);
  }
}

async function startFailed(place: Place, last: SupervisorState | undefined): Promise<StartError> {
  if (last?.error) return new StartError(last.error, last.exit_code);
  const lines = await lastLines(logPath(place.layout, "supervisor"), 15);
  return new StartError(
    `Cannot start: the supervisor is gone; its log ends:\n${lines.join("\n")}\n` +
      "deno task down stops what it left",
    EXIT.unreachable,
  );
}

function printSteps(
  all: readonly StartStep[],
  { printed, steps, sinceMs }: { printed: Set<string>; steps: Steps; sinceMs: number },
): void {
  for (const step of all) {
    if (step.state === "running") {
      const tookMs = Math.max(0, sinceMs - step.began_ms);
      steps.moving({ name: step.name, tookMs, detail: step.detail });
    } else if (!printed.has(step.name)) {
      printed.add(step.name);
      const mark = step.state === "failed" ? "✗" : step.detail.startsWith("not ready") ? "!" : "✓";
      steps.ended(mark, { name: step.name, tookMs: step.took_ms ?? 0, detail: step.detail });
    }
  }
}

/** Tells the supervisor to stop everything and waits until it is gone. */
export async function stopSupervisor(place: Place): Promise<void> {
  const supervisor = await readPidFile(pidPath(place.layout, "supervisor"));
  if (supervisor === undefined) return;
  await signal(supervisor, "SIGTERM");
  await untilGone(place);
}

async function untilGone(place: Place): Promise<void> {
  const supervisor = await readPidFile(pidPath(place.layout, "supervisor"));
  if (supervisor === undefined) return;
  while (await isAlive(supervisor)) await sleep(POLL_MS);
}
