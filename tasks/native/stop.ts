/** Stopping a native pipeline: by its supervisor, or directly where that one was killed. */
import type { ServiceName } from "../../contracts/services.ts";
import { type Layout, pidPath } from "./layout.ts";
import { isAlive, readPidFile, signal, sleep, stopProcess } from "./process.ts";

/** In this order the flow drains: nothing new comes, then what is under way is finished. */
export const STOP_ORDER: readonly ServiceName[] = [
  "generator",
  "processor",
  "sink",
  "catalog",
  "kafka",
];

/**
 * From SIGTERM to SIGKILL, in ms, one service after another; 27 s together, below the 30 s that a stop may
 * take. The stages' own deadlines lie within theirs.
 */
export const GRACE_MS: Readonly<Record<ServiceName, number>> = {
  generator: 5_000,
  processor: 5_000,
  sink: 9_000,
  catalog: 2_000,
  kafka: 6_000,
};

/** The supervisor's own share after the services': writing its last state, in ms. */
const SUPERVISOR_EXTRA_MS = 1_500;

/** What a stop found. */
export interface StopResult {
  /** Services that were running. */
  stopped: ServiceName[];
  /** Those that did not end by themselves in time. */
  killed: ServiceName[];
}

/** Services that run, by their own records. */
export async function runningServices(layout: Layout): Promise<ServiceName[]> {
  const running: ServiceName[] = [];
  for (const name of STOP_ORDER) {
    const process = await readPidFile(pidPath(layout, name));
    if (process !== undefined && await isAlive(process)) running.push(name);
  }
  return running;
}

/**
 * Stops everything in order: 1. the supervisor is told, and does it; 2. whatever it left, or a supervisor
 * that was killed left, is stopped from here.
 */
export async function stopNative(layout: Layout): Promise<StopResult> {
  const before = await runningServices(layout);
  const killed: ServiceName[] = [];
  const supervisor = await readPidFile(pidPath(layout, "supervisor"));
  if (supervisor !== undefined && await signal(supervisor, "SIGTERM")) {
    const graces = Object.values(GRACE_MS).reduce((sum, ms) => sum + ms, SUPERVISOR_EXTRA_MS);
    const deadline = performance.now() + graces;
    while (await isAlive(supervisor) && performance.now() < deadline) await sleep(50);
    await signal(supervisor, "SIGKILL");
  }
  for (const name of await runningServices(layout)) {
    const process = await readPidFile(pidPath(layout, name));
    if (process === undefined) continue;
    if (await stopProcess(process, { graceMs: GRACE_MS[name] })) killed.push(name);
  }
  return { stopped: before, killed };
}
