/** What this process costs. */
import process from "node:process";

/** Memory and processor time of this process. */
export interface ProcessStats {
  rss_bytes: number;
  /** User and system time since the start. */
  cpu_seconds: number;
}

/** Reads them; needs no permission. */
export function readProcessStats(): ProcessStats {
  const { user, system } = process.cpuUsage();
  return { rss_bytes: Deno.memoryUsage().rss, cpu_seconds: (user + system) / 1e6 };
}
