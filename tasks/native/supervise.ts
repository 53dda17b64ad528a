/**
 * The supervisor's work: start the services in order, keep them running, tell others how they are, and
 * stop them in order.
 */
import { EXIT } from "../../contracts/errors.ts";
import type { ServiceName } from "../../contracts/services.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Layout } from "./layout.ts";
import { logPath } from "./layout.ts";
import { rotate } from "./log_files.ts";
import { ManagedService } from "./managed_service.ts";
import { sleep } from "./process.ts";
import { type ServiceSpec, StartError } from "./service_spec.ts";
import {
  pendingRequests,
  readState,
  type StartStep,
  type SupervisorRequest,
  type SupervisorState,
  writeState,
} from "./state.ts";
import { STOP_ORDER } from "./stop.ts";

const TICK_MS = 2_000;
const POLL_MS = 100;
const REQUEST_POLL_MS = 200;
const READY_MS_MAX = 90_000;
const ALL_READY_MS_MAX = 30_000;
/** A service that dies this often before it was ready ends the start. */
const START_DEATHS_MAX = 3;
/** What a supervisor is told. */
export interface SuperviseOptions {
  layout: Layout;
  /** In start order; `kafka` and `catalog` one after another, the rest together. */
  specs: readonly ServiceSpec[];
  /** Services that are left stopped. */
  without: readonly ServiceName[];
  /** Aborted when it shall stop. */
  signal: AbortSignal;
  log: Logger;
}

/** Runs until told to stop or the start fails. Returns the exit code. */
export async function supervise(options: SuperviseOptions): Promise<number> {
  return await new Supervisor(options).run();
}

class Supervisor {
  #options: SuperviseOptions;
  #services: ManagedService[];
  #steps: StartStep[] = [];
  #phase: SupervisorState["phase"] = "starting";
  #error: string | null = null;
  #exitCode: number = EXIT.ok;
  #began = performance.now();
  #startedAt = new Date().toISOString();
  #dirty = false;
  #written: Promise<void> = Promise.resolve();

  constructor(options: SuperviseOptions) {
    this.#options = options;
    this.#services = options.specs.map((spec) =>
      new ManagedService(spec, options.layout, {
        changed: () => this.#publish(),
        log: options.log,
      })
    );
  }

  async run(): Promise<number> {
    const { signal, layout } = this.#options;
    await Deno.mkdir(layout.requests, { recursive: true });
    for (const { path } of await pendingRequests(layout)) await Deno.remove(path);
    const previous = await readState(layout);
    this.#publish();
    const work = [this.#watchLoop(), this.#requestLoop()];
    try {
      await this.#start(previous);
      this.#phase = signal.aborted ? "stopping" : "running";
      this.#publish();
      await aborted(signal);
    } catch (error) {
      this.#phase = "failed";
      this.#error = error instanceof Error ? error.message : String(error);
      this.#exitCode = error instanceof StartError ? error.exitCode : EXIT.unreachable;
    }
    const failed = this.#phase === "failed";
    if (!failed) this.#phase = "stopping";
    this.#options.log.info(`supervisor_${this.#phase}`, { reason: this.#error ?? signal.reason });
    this.#publish();
    await this.#stopAll();
    if (!failed) this.#phase = "stopped";
    await Promise.all(work);
    await this.#flush();
    return this.#exitCode;
  }

  async #start(previous: SupervisorState | undefined): Promise<void> {
    const wanted = this.#services.filter((service) => !this.#isWithout(service));
    const stages: Promise<void>[] = [];
    for (const service of wanted) {
      const step = this.#bringUp(service, previous);
      if (service.spec.settle !== undefined) await step;
      else stages.push(step);
    }
    await Promise.all(stages);
    if (this.#steps.every((step) => !step.detail.startsWith("not ready"))) {
      await this.#untilAllReady(wanted);
    }
  }

  /** A stage that was ready may lose it again while the next one starts: the start is over when all are. */
  async #untilAllReady(services: readonly ManagedService[]): Promise<void> {
    const deadline = performance.now() + ALL_READY_MS_MAX;
    while (!this.#options.signal.aborted && performance.now() < deadline) {
      await Promise.all(services.map((service) => service.watch()));
      if (services.every((service) => service.readiness.ready)) return;
      await sleep(POLL_MS);
    }
  }

  async #bringUp(service: ManagedService, previous: SupervisorState | undefined): Promise<void> {
    const { name, settle } = service.spec;
    const before = previous?.services.find((candidate) => candidate.name === name);
    await this.#step(name, async () => {
      const how = await service.start(before);
      const note = await this.#untilReady(service, service.restarts);
      return note === "" ? (how === "started" ? "ready" : `ready, ${how}`) : note;
    });
    if (settle === undefined || this.#options.signal.aborted) return;
    await this.#step(name === "kafka" ? "topics" : `${name} contents`, settle);
  }

  /** Resolves with "" when ready, with the reasons when a stage lives but is not ready in time. */
  async #untilReady(service: ManagedService, restartsBefore: number): Promise<string> {
    const { name, settle } = service.spec;
    const deadline = performance.now() + READY_MS_MAX;
    while (!this.#options.signal.aborted) {
      await service.watch();
      if (service.readiness.ready) return "";
      const deaths = service.restarts - restartsBefore;
      if (deaths > 0 && service.lastCode === EXIT.misuse) {
        throw new StartError(`Cannot start "${name}": ${service.lastError}`, EXIT.misuse);
      }
      if (deaths >= START_DEATHS_MAX) {
        throw new StartError(`Cannot start "${name}": ${service.lastError}`, EXIT.unreachable);
      }
      if (performance.now() > deadline) {
        const reasons = service.readiness.reasons.join("; ") || "no answer";
        // Kafka and the catalog carry the rest. A stage that waits for a person's decision (a gap, a
        // full disk) needs them running, so it does not end the start.
        if (settle === undefined) return `not ready: ${reasons}`;
        throw new StartError(
          `Cannot start "${name}": not ready after ${READY_MS_MAX / 1000} s: ${reasons}`,
          EXIT.unreachable,
        );
      }
      await sleep(POLL_MS);
    }
    return "stopped";
  }

  async #step(name: string, work: () => Promise<string>): Promise<void> {
    const began = performance.now();
    const step: StartStep = {
      name,
      state: "running",
      detail: "",
      began_ms: Math.round(began - this.#began),
      took_ms: null,
    };
    this.#steps.push(step);
    this.#publish();
    try {
      step.detail = await work();
      step.state = "done";
    } catch (error) {
      step.state = "failed";
      throw error;
    } finally {
      step.took_ms = Math.round(performance.now() - began);
      this.#publish();
    }
  }

  async #watchLoop(): Promise<void> {
    while (!this.#isOver()) {
      await Promise.all(this.#services.map((service) => service.watch()));
      const names = [...this.#services.map((service) => service.spec.name), "supervisor"] as const;
      await Promise.all(names.map((name) => rotate(logPath(this.#options.layout, name))));
      this.#publish();
      await this.#pause(TICK_MS);
    }
  }

  async #requestLoop(): Promise<void> {
    while (!this.#isOver()) {
      const pending = this.#phase === "running" ? await pendingRequests(this.#options.layout) : [];
      for (const { path, request } of pending) {
        await this.#obey(request);
        await Deno.remove(path);
      }
      await this.#pause(REQUEST_POLL_MS);
    }
  }

  async #obey(request: SupervisorRequest): Promise<void> {
    const service = this.#services.find(({ spec }) => spec.name === request.service);
    if (service === undefined) return;
    if (request.action === "stop") await service.stop();
    else await service.restart();
    this.#publish();
  }

  async #stopAll(): Promise<void> {
    for (const name of STOP_ORDER) {
      const service = this.#services.find(({ spec }) => spec.name === name);
      await service?.stop();
    }
  }

  #isWithout(service: ManagedService): boolean {
    return this.#options.without.includes(service.spec.name);
  }

  #isOver(): boolean {
    return this.#phase === "stopping" || this.#phase === "stopped" || this.#phase === "failed";
  }

  async #pause(ms: number): Promise<void> {
    const deadline = performance.now() + ms;
    while (!this.#isOver() && performance.now() < deadline) await sleep(POLL_MS);
  }

  /** Writes the state soon; many changes at once become one write. */
  #publish(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    this.#written = this.#written.then(() => this.#flush());
  }

  async #flush(): Promise<void> {
    this.#dirty = false;
    await writeState(this.#options.layout, {
      schema_version: "1",
      phase: this.#phase,
      error: this.#error,
      exit_code: this.#exitCode,
      updated_at: new Date().toISOString(),
      supervisor: {
        pid: Deno.pid,
        started_at: this.#startedAt,
        rss_bytes: Deno.memoryUsage().rss,
      },
      steps: this.#steps,
      services: this.#services.map((service) => service.snapshot()),
    });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve());
  });
}
