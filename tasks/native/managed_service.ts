/** One service under the supervisor: started, watched, started again when it dies. */
import type { ServiceState } from "../../contracts/status.ts";
import type { Logger } from "../../runtime/log.ts";
import { type Layout, logPath, pidPath } from "./layout.ts";
import { lastLines } from "./log_files.ts";
import {
  isAlive,
  type ProcessId,
  readPidFile,
  signal,
  sleep,
  spawnRecorded,
  stopProcess,
  usageOf,
} from "./process.ts";
import { afterDeath, NEVER_DIED, type RestartMemory } from "./restart_policy.ts";
import { fingerprint, HUNG_MS, type Readiness, type ServiceSpec } from "./service_spec.ts";
import type { SupervisedService } from "./state.ts";

const ADOPTED_POLL_MS = 250;
const RECORD_MS_MAX = 5_000;
/** A hung process is not killed before so many questions: after the machine slept, the clock alone would. */
const HUNG_QUESTIONS_MIN = 20;
const ERROR_LINES = 5;
const ERROR_CHARS_MAX = 600;

/** How a service ended. */
interface Ending {
  /** null: it was adopted, its exit code went to another parent. */
  code: number | null;
  text: string;
}

/** Whom a service tells. */
export interface ServiceHooks {
  /** Called whenever the state that others see has changed. */
  changed: () => void;
  log: Logger;
}

/** One service: at most one process at a time, replaced when it dies as long as it is wanted. */
export class ManagedService {
  readonly spec: ServiceSpec;
  #layout: Layout;
  #hooks: ServiceHooks;
  #fingerprint = "";
  #state: ServiceState = "stopped";
  #process: ProcessId | undefined;
  #startedAt = 0;
  #wanted = false;
  #memory: RestartMemory = NEVER_DIED;
  #restarts = 0;
  #lastError: string | null = null;
  #lastCode: number | null = null;
  #readiness: Readiness = { ready: false, reasons: [] };
  #usage: { rss: number | null; cpuSeconds: number; at: number; cpu: number | null };
  #silence = { since: 0, questions: 0 };
  #killedBecause: string | undefined;
  #life: Promise<void> = Promise.resolve();
  #backoff: AbortController | undefined;

  constructor(spec: ServiceSpec, layout: Layout, hooks: ServiceHooks) {
    this.spec = spec;
    this.#layout = layout;
    this.#hooks = hooks;
    this.#usage = { rss: null, cpuSeconds: 0, at: 0, cpu: null };
  }

  /** Deaths that led to another start. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Exit code of the last death, null when there was none or it is not known. */
  get lastCode(): number | null {
    return this.#lastCode;
  }

  /** Why it died last. */
  get lastError(): string | null {
    return this.#lastError;
  }

  /** The answer to the last question. */
  get readiness(): Readiness {
    return this.#readiness;
  }

  /**
   * Makes it run and go on running. A process of an earlier supervisor is adopted when it is what we
   * would start now (`previous` says so by its fingerprint), and stopped otherwise.
   */
  async start(previous?: SupervisedService): Promise<"started" | "adopted" | "elsewhere"> {
    this.#fingerprint = await fingerprint(this.spec);
    if (this.spec.command.length === 0) return "elsewhere";
    const pidFile = pidPath(this.#layout, this.spec.name);
    const old = await readPidFile(pidFile);
    this.#wanted = true;
    if (old !== undefined && await isAlive(old)) {
      if (previous?.identity === old.identity && previous.fingerprint === this.#fingerprint) {
        this.#restarts = previous.restarts;
        this.#lastError = previous.last_error;
        const startedAt = Date.parse(previous.started_at ?? "") || Date.now();
        this.#life = this.#keepAlive({ process: old, startedAt });
        return "adopted";
      }
      await stopProcess(old, { graceMs: this.spec.graceMs });
    }
    this.#life = this.#keepAlive(undefined);
    return "started";
  }

  /** Stops it and leaves it stopped. Resolves when it is gone. */
  async stop(graceMs = this.spec.graceMs): Promise<void> {
    this.#wanted = false;
    this.#backoff?.abort();
    if (this.#process !== undefined) await stopProcess(this.#process, { graceMs });
    await this.#life;
  }

  /** Asked for by a person: not counted as a death. */
  async restart(): Promise<void> {
    await this.stop();
    this.#memory = NEVER_DIED;
    this.#lastError = null;
    await this.start();
  }

  /** Asks whether it is ready and what it uses; kills it when it hangs. Call every two seconds or so. */
  async watch(): Promise<void> {
    const process = this.#process;
    if (process === undefined && this.spec.command.length > 0) return;
    const [readiness, usage, alive] = await Promise.all([
      this.spec.ready(),
      process === undefined ? undefined : usageOf(process.pid),
      this.spec.alive?.() ?? true,
    ]);
    if (process !== this.#process) return;
    this.#readiness = readiness;
    if (this.spec.command.length === 0) this.#state = readiness.ready ? "running" : "unreachable";
    if (readiness.ready && this.#state === "starting") {
      this.#state = "running";
      this.#hooks.log.info("service_ready", { service: this.spec.name, pid: process?.pid });
    }
    if (usage !== undefined) this.#noteUsage(usage.rss_bytes, usage.cpu_seconds);
    if (process !== undefined) await this.#noteAnswer(process, alive);
  }

  /** What others see. */
  snapshot(): SupervisedService {
    const process = this.#process;
    return {
      name: this.spec.name,
      state: this.#state,
      ready: this.#readiness.ready,
      reasons: this.#readiness.reasons,
      pid: process?.pid ?? null,
      identity: process?.identity ?? null,
      fingerprint: this.#fingerprint,
      address: this.spec.address,
      log: logPath(this.#layout, this.spec.name),
      started_at: process === undefined ? null : new Date(this.#startedAt).toISOString(),
      restarts: this.#restarts,
      last_error: this.#lastError,
      rss_bytes: process === undefined ? null : this.#usage.rss,
      cpu_percent: process === undefined ? null : this.#usage.cpu,
    };
  }

  /** From one process to the next, until it is no longer wanted. */
  async #keepAlive(adopted: { process: ProcessId; startedAt: number } | undefined): Promise<void> {
    let next = adopted;
    while (this.#wanted) {
      let ending: Ending;
      try {
        ending = next === undefined ? await this.#runOnce() : await this.#followAdopted(next);
      } catch (error) {
        ending = { code: null, text: `it could not be started: ${error}` };
      }
      next = undefined;
      this.#process = undefined;
      if (this.#killedBecause !== undefined) ending = { ...ending, text: this.#killedBecause };
      this.#killedBecause = undefined;
      this.#silence.questions = 0;
      this.#readiness = { ready: false, reasons: [] };
      if (!this.#wanted) break;
      await this.#afterDeath(ending);
    }
    this.#state = "stopped";
    this.#hooks.changed();
  }

  async #runOnce(): Promise<Ending> {
    this.#enter("starting", undefined, Date.now());
    await this.spec.prepare?.();
    if (!this.#wanted) return { code: 0, text: "" };
    const pidFile = pidPath(this.#layout, this.spec.name);
    const child = spawnRecorded({
      command: this.spec.command,
      env: this.spec.env,
      cwd: this.#layout.root,
      pidFile,
      logFile: logPath(this.#layout, this.spec.name),
    });
    let over = false;
    const status = child.status.finally(() => over = true);
    const process = await recorded(pidFile, child.pid, () => over);
    if (process !== undefined) this.#enter("starting", process, Date.now());
    // stop() may have come between the spawn and the record: it had no process to signal.
    if (!this.#wanted && process !== undefined) {
      await stopProcess(process, { graceMs: this.spec.graceMs });
    }
    const { code, signal: by } = await status;
    return { code, text: by === null ? `it ended with code ${code}` : `it was ended by ${by}` };
  }

  async #followAdopted(adopted: { process: ProcessId; startedAt: number }): Promise<Ending> {
    this.#enter("starting", adopted.process, adopted.startedAt);
    while (await isAlive(adopted.process)) await sleep(ADOPTED_POLL_MS);
    return { code: null, text: "it ended (code unknown: started by an earlier supervisor)" };
  }

  async #afterDeath(ending: Ending): Promise<void> {
    const { waitMs, memory } = afterDeath(this.#memory, Date.now() - this.#startedAt);
    this.#memory = memory;
    this.#restarts += 1;
    this.#lastCode = ending.code;
    const lines = await lastLines(logPath(this.#layout, this.spec.name), ERROR_LINES);
    const tail = lines.join("\n").slice(-ERROR_CHARS_MAX);
    this.#lastError = `${new Date().toISOString()} ${ending.text}; its log ends: ${tail}`;
    const fields = { service: this.spec.name, reason: ending.text, restart_in_ms: waitMs };
    this.#hooks.log.error("service_died", fields);
    this.#state = "backoff";
    this.#hooks.changed();
    this.#backoff = new AbortController();
    await sleepUntil(waitMs, this.#backoff.signal);
    this.#backoff = undefined;
  }

  #enter(state: ServiceState, process: ProcessId | undefined, startedAt: number): void {
    this.#state = state;
    this.#process = process;
    this.#startedAt = startedAt;
    this.#usage = { rss: null, cpuSeconds: 0, at: 0, cpu: null };
    this.#hooks.changed();
  }

  async #noteAnswer(process: ProcessId, alive: boolean): Promise<void> {
    const silence = this.#silence;
    if (alive || silence.questions === 0) silence.since = performance.now();
    silence.questions = alive ? 0 : silence.questions + 1;
    const silentMs = performance.now() - silence.since;
    if (silence.questions < HUNG_QUESTIONS_MIN || silentMs < (this.spec.hungMs ?? HUNG_MS)) return;
    this.#killedBecause = `it did not answer for ${Math.round(silentMs / 1000)} s and was killed`;
    this.#hooks.log.error("service_hung", { service: this.spec.name, pid: process.pid });
    await signal(process, "SIGKILL");
  }

  #noteUsage(rss: number, cpuSeconds: number): void {
    const at = performance.now();
    const before = this.#usage;
    const cpu = before.at === 0
      ? null
      : Math.round(1e6 * (cpuSeconds - before.cpuSeconds) / (at - before.at)) / 10;
    this.#usage = { rss, cpuSeconds, at, cpu };
  }
}

/** The record that the program writes before it begins; undefined when it ended before that. */
async function recorded(
  pidFile: string,
  pid: number,
  over: () => boolean,
): Promise<ProcessId | undefined> {
  const deadline = performance.now() + RECORD_MS_MAX;
  while (performance.now() < deadline) {
    const process = await readPidFile(pidFile);
    if (process?.pid === pid) return process;
    if (over()) return undefined;
    await sleep(5);
  }
  throw new Error(`Cannot record the pid of a program in "${pidFile}": nothing came in 5 s`);
}

function sleepUntil(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
