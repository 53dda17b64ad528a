/** `deno task bench`: figures of this machine, on services of its own. Not a test: nothing is asserted. */
import { EXIT, MisuseError } from "../contracts/errors.ts";
import { resolveCallerPath } from "../runtime/env.ts";
import { benchProcessor } from "./bench/processor.ts";
import { benchQuery, type BenchQueryOptions } from "./bench/query.ts";
import { canSpread, LAYOUTS } from "./bench/query_tables.ts";
import { benchStoring } from "./bench/storing.ts";
import { parseFlags, runTask } from "./cli.ts";

const HELP = `deno task bench processor|sink|pipeline|query [--sizes 1000000,3000000]

  processor   drains backlogs of these sizes from Kafka to Kafka, exactly-once, and measures the
              latencies at 1,000 transactions a second.
  sink        stores backlogs of judged transactions in the tables, exactly-once.
  pipeline    processor and sink together: from raw transactions to committed tables.
  query       asks tables of these sizes (default 1000000,10000000), in small files and compacted, cold
              and warm, beside DuckDB's own iceberg extension and PyIceberg.

              --data DIR       makes the tables there, or uses those that are there
              --make           only makes them
              --layout L       small_files or compacted; both by default
              --only TEXT      questions with this in their name ("planning" for the planner alone)
              --runs N         runs per figure, of which the median is given; default 5 (warm: at
                               least so many, for two seconds)

One JSON line per figure; query prints a table of ratios at the end.

Exit codes: 0 done, 2 misuse.`;

function readSizes(text: string | undefined, byDefault = "1000000,3000000"): number[] {
  const sizes = (text ?? byDefault).split(",").map(Number);
  if (sizes.every((size) => Number.isInteger(size) && size >= 1000)) return sizes;
  throw new MisuseError(`Cannot use "--sizes ${text}": expected whole numbers from 1000`);
}

/** The options of `bench query`. */
function queryOptions(flags: Record<string, unknown>): BenchQueryOptions {
  const text = (name: string) => flags[name] as string | undefined;
  const layout = text("layout");
  const layouts = LAYOUTS.filter((one) => layout === undefined || one === layout);
  if (layouts.length === 0) {
    throw new MisuseError(`Cannot use "--layout ${layout}": expected ${LAYOUTS.join(" or ")}`);
  }
  const runs = Number(text("runs") ?? 5);
  if (!Number.isInteger(runs) || runs < 1) {
    throw new MisuseError(`Cannot use "--runs ${text("runs")}": expected a whole number from 1`);
  }
  const data = text("data");
  const sizes = readSizes(text("sizes"), "1000000,10000000");
  if (!sizes.every(canSpread)) {
    throw new MisuseError(
      `Cannot use "--sizes ${text("sizes")}": expected sizes that spread over days, as 1000000`,
    );
  }
  return {
    sizes,
    layouts,
    only: text("only"),
    runs,
    dataDir: data === undefined ? undefined : resolveCallerPath(data),
    makeOnly: flags["make"] === true,
  };
}

const QUERY_FLAGS = ["data", "layout", "only", "runs", "make"];

if (import.meta.main) {
  await runTask(HELP, async (args) => {
    const flags = parseFlags(args, {
      string: ["sizes", ...QUERY_FLAGS.filter((name) => name !== "make")],
      boolean: ["make"],
      wordsMax: 1,
    });
    const [what] = flags._;
    const stray = QUERY_FLAGS.find((name) => flags[name] !== undefined);
    if (what !== "query" && stray !== undefined) {
      throw new MisuseError(`Cannot use "--${stray}": it belongs to bench query`);
    }
    const sizes = readSizes(flags.sizes as string | undefined);
    const random = Math.random;
    switch (what) {
      case "processor":
        await benchProcessor({ sizes, random });
        return EXIT.ok;
      case "sink":
        await benchStoring({ stages: ["sink"], sizes, random });
        return EXIT.ok;
      case "pipeline":
        await benchStoring({ stages: ["processor", "sink"], sizes, random });
        return EXIT.ok;
      case "query":
        await benchQuery(queryOptions(flags));
        return EXIT.ok;
      default:
        throw new MisuseError(
          `Cannot bench "${what ?? ""}": expected processor, sink, pipeline or query`,
        );
    }
  });
}
