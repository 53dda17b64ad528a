/** One run of `deno test` over some files, counted from its own report. */
import { projectRoot } from "../../runtime/env.ts";
import { join } from "../../runtime/path.ts";
import { parseJunit } from "./junit.ts";

/** Counts of a phase. */
export interface Counts {
  passed: number;
  failed: number;
  ignored: number;
  /** `file: name` of what failed. */
  failures: string[];
}

/** Options of {@linkcode runSuites}. */
export interface RunOptions {
  /** Relative to the project. */
  files: readonly string[];
  /** Flags of `deno test`. */
  flags: readonly string[];
  env: Record<string, string>;
  /** Folder for the report. */
  dir: string;
  /** Ends the run. */
  signal: AbortSignal;
}

/**
 * Runs the files together. A file that does not load takes the whole run with it (Deno makes no report
 * then), so they are run one by one in that case and only that file counts as failed.
 */
export async function runSuites(options: RunOptions): Promise<Counts> {
  const { files, signal } = options;
  const together = await runOnce(options);
  if (together !== undefined) return together;
  if (files.length === 1 || signal.aborted) {
    const failures = files.map((file) => `${file}: did not run`);
    return { passed: 0, failed: files.length, ignored: 0, failures };
  }
  console.log("\nA suite does not load; running each file by itself.");
  const total: Counts = { passed: 0, failed: 0, ignored: 0, failures: [] };
  for (const file of files) add(total, await runSuites({ ...options, files: [file] }));
  return total;
}

/** Adds `more` to `total`. */
export function add(total: Counts, more: Counts): void {
  total.passed += more.passed;
  total.failed += more.failed;
  total.ignored += more.ignored;
  total.failures.push(...more.failures);
}

async function runOnce(options: RunOptions): Promise<Counts | undefined> {
  const { files, flags, env, dir, signal } = options;
  const report = join(dir, `${crypto.randomUUID()}.xml`);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--no-prompt", ...flags, `--junit-path=${report}`, ...files],
    cwd: projectRoot,
    env,
    stdin: "null",
  }).spawn();
  const end = (): void => {
    try {
      child.kill("SIGKILL");
    } catch {
      // it has just ended
    }
  };
  signal.addEventListener("abort", end);
  const { success } = await child.status;
  signal.removeEventListener("abort", end);
  const xml = await Deno.readTextFile(report).catch(() => undefined);
  return xml === undefined ? undefined : countReport(xml, files, success);
}

/** Counts a report. A file that is not in it, and a failed run without a failed test, count as failed. */
export function countReport(xml: string, files: readonly string[], success: boolean): Counts {
  const cases = parseJunit(xml);
  const failures = cases.filter((test) => test.outcome === "failed")
    .map((test) => `${test.file}: ${test.name}`);
  const reported = new Set(cases.map((test) => test.file));
  for (const file of files) {
    if (!reported.has(file)) failures.push(`${file}: did not load or holds no test`);
  }
  if (!success && failures.length === 0) failures.push("deno test failed outside its tests");
  return {
    passed: cases.filter((test) => test.outcome === "passed").length,
    ignored: cases.filter((test) => test.outcome === "ignored").length,
    failed: failures.length,
    failures,
  };
}
