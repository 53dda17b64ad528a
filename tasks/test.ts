/** `deno task test`: every suite, on a Kafka and a catalog of its own. Last line: `N passed, N failed`. */
import { EXIT } from "../contracts/errors.ts";
import { projectRoot } from "../runtime/env.ts";
import { startServices, type TestServices } from "../tests/support/services.ts";
import { parseFlags, runTask } from "./cli.ts";
import { stopLeftovers } from "./testing/leftovers.ts";
import { type Phase, PHASES, suitesByPhase } from "./testing/phases.ts";
import { add, type Counts, runSuites } from "./testing/run_phase.ts";
import { ensureTools } from "./testing/tools.ts";

const HELP = `deno task test [--long] [PATH…]

  unit (no permissions) -> integration -> e2e -> crash; with PATH only suites whose path contains it.

  --long   the full crash suites (TEST_LONG=1 in their environment)

Exit codes: 0 all passed, 1 something failed. With CI=true an ignored test counts as failed.`;

const HARD_STOP_MINUTES = 40;
const HARD_STOP_LONG_MINUTES = 80;

async function sourcePaths(): Promise<string[]> {
  const { stdout } = await new Deno.Command("git", {
    args: ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts", "*.tsx"],
    cwd: projectRoot,
  }).output();
  const paths = new TextDecoder().decode(stdout).split("\n").filter((path) => path !== "");
  const there = await Promise.all(
    paths.map((path) => Deno.stat(`${projectRoot}/${path}`).then(() => true, () => false)),
  );
  return paths.filter((_, index) => there[index]);
}

function environmentOf(services: TestServices | undefined, dir: string, long: boolean) {
  return {
    TMPDIR: dir,
    ...(long ? { TEST_LONG: "1" } : {}),
    ...(services === undefined ? {} : {
      TEST_KAFKA: services.kafka,
      TEST_CATALOG: services.catalog,
      TEST_WAREHOUSE: services.warehouse,
    }),
  };
}

/** Aborts when the time is over, and on Ctrl-C. */
function stopSignal(minutes: number): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => controller.abort(`stopped by ${name}`));
  }
  const timer = setTimeout(() => controller.abort(`not over after ${minutes} min`), minutes * 6e4);
  Deno.unrefTimer(timer);
  return controller.signal;
}

interface Run {
  suites: Record<Phase, string[]>;
  dir: string;
  long: boolean;
  signal: AbortSignal;
}

async function runPhases({ suites, dir, long, signal }: Run): Promise<Counts> {
  const total: Counts = { passed: 0, failed: 0, ignored: 0, failures: [] };
  let services: TestServices | undefined;
  try {
    for (const phase of PHASES) {
      const files = suites[phase];
      if (files.length === 0 || signal.aborted) continue;
      console.log(`\n== ${phase}: ${files.length} files`);
      if (phase !== "unit") services ??= await startServices({ fresh: true });
      const flags = phase === "unit" ? [] : ["-A"];
      const env = environmentOf(services, dir, long);
      add(total, await runSuites({ files, flags, env, dir, signal }));
      for (const left of await stopLeftovers(dir)) {
        add(total, {
          passed: 0,
          failed: 1,
          ignored: 0,
          failures: [`${phase} left running: ${left}`],
        });
      }
    }
  } catch (error) {
    console.error(error);
    add(total, { passed: 0, failed: 1, ignored: 0, failures: [`the runner: ${error}`] });
  } finally {
    await services?.stop();
  }
  if (signal.aborted) {
    add(total, { passed: 0, failed: 1, ignored: 0, failures: [String(signal.reason)] });
  }
  return total;
}

if (import.meta.main) {
  await runTask(HELP, async (args) => {
    const flags = parseFlags(args, { boolean: ["long"], wordsMax: 100 });
    const long = flags.long === true;
    const signal = stopSignal(long ? HARD_STOP_LONG_MINUTES : HARD_STOP_MINUTES);
    const suites = suitesByPhase(await sourcePaths(), flags._);
    if (suites.integration.length + suites.e2e.length + suites.crash.length > 0) {
      await ensureTools();
    }
    const dir = await Deno.makeTempDir({ prefix: "pipeline_tests_" });
    try {
      const counts = await runPhases({ suites, dir, long, signal });
      const ignoredFails = Deno.env.get("CI") === "true" && counts.ignored > 0;
      console.log("");
      for (const failure of counts.failures) console.log(`FAILED ${failure}`);
      if (counts.ignored > 0) {
        console.log(`${counts.ignored} ignored${ignoredFails ? ", counted as failed" : ""}`);
      }
      const failed = counts.failed + (ignoredFails ? counts.ignored : 0);
      console.log(`${counts.passed} passed, ${failed} failed`);
      return failed === 0 && counts.passed > 0 ? EXIT.ok : EXIT.no;
    } finally {
      await Deno.remove(dir, { recursive: true }).catch(() => {});
    }
  });
}
