/** What a process has cost, as Linux counts it. */

/** Clock ticks in a second: USER_HZ is 100 on every Linux that Deno runs on. */
const TICKS_PER_SECOND = 100;

/** User and system time of a process so far, in seconds; all of its threads. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The second field is a name in parentheses that may hold spaces; times are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Highest resident memory of a process so far, in bytes. */
export async function peakMemory(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) * 1024;
}
