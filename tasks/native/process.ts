/**
 * Processes by identity. A pid alone may be somebody else's by the time it is used: every program
 * records pid, start time and boot id itself before it begins, and only that one is ever signalled.
 */

/** One process, told apart from a later one with the same pid. */
export interface ProcessId {
  pid: number;
  /** Boot id and start time, as {@linkcode identityOf} prints them. */
  identity: string;
}

/** What a process uses. */
export interface Usage {
  rss_bytes: number;
  /** CPU time so far, in seconds. */
  cpu_seconds: number;
}

const CLOCK_TICKS_PER_SECOND = 100; // USER_HZ: fixed at 100 in Linux's interface to user space

// The same two facts that identityOf() reads, printed by the shell that then becomes the program.
const IDENTITY_SH =
  `if [ -r /proc/$$/stat ]; then echo "$(cat /proc/sys/kernel/random/boot_id):$(cut -d' ' -f22 /proc/$$/stat)"; ` +
  `else echo "$(LC_ALL=C ps -o lstart= -p $$)"; fi`;
const RECORD_SH = `id=$(${IDENTITY_SH}); printf '%s %s\\n' "$$" "$id" >"$PID_FILE.new" && ` +
  `mv "$PID_FILE.new" "$PID_FILE" && unset id PID_FILE && log="$LOG_FILE" && unset LOG_FILE && ` +
  `exec "$@" >>"$log" 2>&1 </dev/null`;

/** How {@linkcode spawnRecorded} starts a program. */
export interface SpawnOptions {
  command: readonly string[];
  /** The whole environment of the program. */
  env: Record<string, string>;
  cwd: string;
  pidFile: string;
  /** Appended to: a rotation may truncate it under the running program. */
  logFile: string;
}

/**
 * Starts a program in a session of its own (it survives us and our terminal), with its output appended
 * to a log. It records its own pid first.
 */
export function spawnRecorded(options: SpawnOptions): Deno.ChildProcess {
  const { command, env, cwd, pidFile, logFile } = options;
  return new Deno.Command("sh", {
    args: ["-c", RECORD_SH, "start", ...command],
    env: { ...env, PID_FILE: pidFile, LOG_FILE: logFile },
    clearEnv: true,
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
}

/** What a program recorded, or undefined when there is no such file. */
export async function readPidFile(path: string): Promise<ProcessId | undefined> {
  const text = await Deno.readTextFile(path).catch(() => "");
  const match = /^(\d+) (.+)\n/.exec(text);
  if (match === null) return undefined;
  return { pid: Number(match[1]), identity: String(match[2]) };
}

/** Boot id and start time of a process that exists and is no zombie, else undefined. */
export async function identityOf(pid: number): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return await lstart(pid);
  const fields = await statFields(pid);
  if (fields === undefined || fields[0] === "Z" || fields[0] === "X") return undefined;
  return `${await bootId()}:${fields[19]}`;
}

/** Whether exactly this process still runs. */
export async function isAlive(process: ProcessId): Promise<boolean> {
  return await identityOf(process.pid) === process.identity;
}

/** Sends a signal to exactly this process. False when it is gone. */
export async function signal(process: ProcessId, name: Deno.Signal): Promise<boolean> {
  if (!await isAlive(process)) return false;
  try {
    Deno.kill(process.pid, name);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof TypeError) return false;
    throw error;
  }
}

/** Options of {@linkcode stopProcess}. */
export interface StopOptions {
  /** How long it may take after SIGTERM before SIGKILL. */
  graceMs: number;
}

/** SIGTERM, then SIGKILL when the grace is over. Resolves when it is gone; tells whether it had to be killed. */
export async function stopProcess(process: ProcessId, options: StopOptions): Promise<boolean> {
  if (!await signal(process, "SIGTERM")) return false;
  const deadline = performance.now() + options.graceMs;
  while (performance.now() < deadline) {
    if (!await isAlive(process)) return false;
    await sleep(25);
  }
  if (!await signal(process, "SIGKILL")) return false;
  while (await isAlive(process)) await sleep(10);
  return true;
}

/** Memory and CPU time of a process, or undefined when it is gone. */
export async function usageOf(pid: number): Promise<Usage | undefined> {
  if (Deno.build.os !== "linux") return await psUsage(pid);
  const fields = await statFields(pid);
  if (fields === undefined) return undefined;
  // Not field 24 of stat: that is in pages, whose size Deno cannot ask for.
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  const rssKib = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { rss_bytes: rssKib * 1024, cpu_seconds: ticks / CLOCK_TICKS_PER_SECOND };
}

/** Waits. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Fields of /proc/<pid>/stat from the third on: the second, the name, may hold spaces and brackets. */
async function statFields(pid: number): Promise<string[] | undefined> {
  const text = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => undefined);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

let bootIdRead: string | undefined;
async function bootId(): Promise<string> {
  return bootIdRead ??= (await Deno.readTextFile("/proc/sys/kernel/random/boot_id")).trim();
}

async function lstart(pid: number): Promise<string | undefined> {
  const text = await ps(["-o", "stat=,lstart=", "-p", String(pid)]);
  const match = /^(\S+)\s+(.+?)\s*$/.exec(text);
  if (match === null || match[1]?.startsWith("Z")) return undefined;
  return match[2];
}

async function psUsage(pid: number): Promise<Usage | undefined> {
  const text = await ps(["-o", "rss=,time=", "-p", String(pid)]);
  const match = /^\s*(\d+)\s+(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)/.exec(text);
  if (match === null) return undefined;
  const [, rss, hours = "0", minutes, seconds] = match;
  const cpu = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return { rss_bytes: Number(rss) * 1024, cpu_seconds: cpu };
}

async function ps(args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command("ps", { args, env: { LC_ALL: "C" } }).output();
  return new TextDecoder().decode(stdout);
}
