import { assert, assertEquals, assertExists } from "@std/assert";
import { join } from "../../runtime/path.ts";
import {
  identityOf,
  isAlive,
  type ProcessId,
  readPidFile,
  signal,
  sleep,
  spawnRecorded,
  stopProcess,
  usageOf,
} from "./process.ts";

async function withProgram(
  script: string,
  check: (process: ProcessId, dir: string, child: Deno.ChildProcess) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const pidFile = join(dir, "x.pid");
  const child = spawnRecorded({
    command: ["sh", "-c", script],
    env: { PATH: Deno.env.get("PATH") ?? "", GREETING: "hello" },
    cwd: dir,
    pidFile,
    logFile: join(dir, "x.log"),
  });
  try {
    let process: ProcessId | undefined;
    while (process === undefined) {
      await sleep(5);
      process = await readPidFile(pidFile);
    }
    const logged = (): Promise<string> => Deno.readTextFile(join(dir, "x.log")).catch(() => "");
    while (await logged() === "") await sleep(5);
    await check(process, dir, child);
  } finally {
    try {
      child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await child.status;
    await Deno.remove(dir, { recursive: true });
  }
}

// Each says a word once it has its trap: before that it would treat a signal as any program does.
const OBEDIENT = 'trap "exit 0" TERM; echo "$GREETING $PID_FILE"; while :; do sleep 0.02; done';
const STUBBORN = 'trap "" TERM; echo "ready"; while :; do sleep 0.02; done';

Deno.test("spawnRecorded() records the pid of the program itself and appends its output", async () => {
  await withProgram(OBEDIENT, async (process, dir, child) => {
    assertEquals(process.pid, child.pid);
    assertEquals(await identityOf(process.pid), process.identity);
    assertEquals((await Deno.readTextFile(join(dir, "x.log"))).trim(), "hello");
    const usage = await usageOf(process.pid);
    assertExists(usage);
    assert(usage.rss_bytes > 100_000 && usage.cpu_seconds >= 0);
  });
});

Deno.test("stopProcess() lets a program end by itself, and kills one that does not", async () => {
  await withProgram(OBEDIENT, async (process, _dir, child) => {
    assertEquals(await stopProcess(process, { graceMs: 5_000 }), false);
    assertEquals(await isAlive(process), false);
    assertEquals((await child.status).code, 0);
  });
  await withProgram(STUBBORN, async (process, _dir, child) => {
    assertEquals(await stopProcess(process, { graceMs: 150 }), true);
    assertEquals((await child.status).signal, "SIGKILL");
  });
});

Deno.test("signal() leaves a process alone that has the pid but not the identity", async () => {
  await withProgram(OBEDIENT, async (process) => {
    const stranger = { pid: process.pid, identity: `${process.identity}0` };
    assertEquals(await signal(stranger, "SIGKILL"), false);
    assertEquals(await stopProcess(stranger, { graceMs: 10 }), false);
    assert(await isAlive(process));
  });
});
