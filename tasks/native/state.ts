/**
 * What the supervisor tells the other commands: one JSON file, written whole and renamed at every change
 * and at least every two seconds. Its reader checks that the supervisor is alive before it believes it.
 */
import type { ServiceName } from "../../contracts/services.ts";
import type { ServiceState } from "../../contracts/status.ts";
import type { Layout } from "./layout.ts";
import { pidPath } from "./layout.ts";
import { isAlive, readPidFile } from "./process.ts";
import { join } from "../../runtime/path.ts";

/** One service as the supervisor sees it. */
export interface SupervisedService {
  name: ServiceName;
  state: ServiceState;
  /** Answered its readiness question within the last two seconds. */
  ready: boolean;
  /** Why not. */
  reasons: string[];
  /** null when it does not run, or is somebody else's (an address in config/pipeline.yaml). */
  pid: number | null;
  /** See `process.ts`. */
  identity: string | null;
  /** Hash of command and environment: what an adopting supervisor compares. */
  fingerprint: string;
  /** `host:port`. */
  address: string;
  /** Path of its log. */
  log: string;
  /** ISO 8601; null when it does not run. */
  started_at: string | null;
  /** Starts after a death since the supervisor began; asked-for restarts are not among them. */
  restarts: number;
  /** Why it died last: exit code or signal, time, and the end of its log. */
  last_error: string | null;
  rss_bytes: number | null;
  /** Over the last two seconds; 100 is one core. */
  cpu_percent: number | null;
}

/** One step of a start, in order. */
export interface StartStep {
  name: string;
  state: "running" | "done" | "failed";
  detail: string;
  /** Since the supervisor began. */
  began_ms: number;
  /** null while it runs. */
  took_ms: number | null;
}

/** `run/state.json`. */
export interface SupervisorState {
  schema_version: "1";
  phase: "starting" | "running" | "stopping" | "stopped" | "failed";
  /** Why the start failed. */
  error: string | null;
  /** Exit code that `up` ends with when the start failed. */
  exit_code: number;
  updated_at: string;
  supervisor: { pid: number; started_at: string; rss_bytes: number };
  steps: StartStep[];
  services: SupervisedService[];
}

/** Writes the file whole: readers see the old or the new one. */
export async function writeState(layout: Layout, state: SupervisorState): Promise<void> {
  const path = `${layout.state}.new`;
  await Deno.writeTextFile(path, JSON.stringify(state, null, 1));
  await Deno.rename(path, layout.state);
}

/** The state as last written, by whomever. */
export async function readState(layout: Layout): Promise<SupervisorState | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(layout.state)) as SupervisorState;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * The state of a supervisor that is alive, else undefined.
 *
 * @example `const state = await liveState(layoutOf(dataDir)); state?.services`
 */
export async function liveState(layout: Layout): Promise<SupervisorState | undefined> {
  const supervisor = await readPidFile(pidPath(layout, "supervisor"));
  if (supervisor === undefined || !await isAlive(supervisor)) return undefined;
  const state = await readState(layout);
  return state?.supervisor.pid === supervisor.pid ? state : undefined;
}

/** A request to the supervisor. */
export interface SupervisorRequest {
  action: "restart" | "start" | "stop";
  service: ServiceName;
}

/** Leaves a request; the supervisor looks every 200 ms and removes it when it is done. Returns its path. */
export async function sendRequest(layout: Layout, request: SupervisorRequest): Promise<string> {
  await Deno.mkdir(layout.requests, { recursive: true });
  const path = join(layout.requests, `${Date.now()}-${crypto.randomUUID()}.json`);
  await Deno.writeTextFile(`${path}.new`, JSON.stringify(request));
  await Deno.rename(`${path}.new`, path);
  return path;
}

/** Waits until a request is done. False when the time is over. */
export async function requestDone(path: string, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (await Deno.stat(path).then(() => false, () => true)) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

/** Requests that wait, oldest first. */
export async function pendingRequests(
  layout: Layout,
): Promise<{ path: string; request: SupervisorRequest }[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(layout.requests)) {
    if (entry.name.endsWith(".json")) names.push(entry.name);
  }
  return await Promise.all(
    names.sort().map(async (name) => {
      const path = join(layout.requests, name);
      return { path, request: JSON.parse(await Deno.readTextFile(path)) as SupervisorRequest };
    }),
  );
}
