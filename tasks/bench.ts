/** `deno task bench`: figures of this machine, on services of its own. Not a test: nothing is asserted. */
import { EXIT, MisuseError } from "../contracts/errors.ts";
import { benchProcessor } from "./bench/processor.ts";
import { benchStoring } from "./bench/storing.ts";
import { parseFlags, runTask } from "./cli.ts";

const HELP = `deno task bench processor|sink|pipeline [--sizes 1000000,3000000]

  processor   drains backlogs of these sizes from Kafka to Kafka, exactly-once, and measures the
              latencies at 1,000 transactions a second.
  sink        stores backlogs of judged transactions in the tables, exactly-once.
  pipeline    processor and sink together: from raw transactions to committed tables.

One JSON line per figure.

Exit codes: 0 done, 2 misuse.`;

function readSizes(text: string | undefined): number[] {
  const sizes = (text ?? "1000000,3000000").split(",").map(Number);
  if (sizes.every((size) => Number.isInteger(size) && size >= 1000)) return sizes;
  throw new MisuseError(`Cannot use "--sizes ${text}": expected whole numbers from 1000`);
}

if (import.meta.main) {
  await runTask(HELP, async (args) => {
    const flags = parseFlags(args, { string: ["sizes"], wordsMax: 1 });
    const [what] = flags._;
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
      default:
        throw new MisuseError(
          `Cannot bench "${what ?? ""}": expected processor, sink or pipeline`,
        );
    }
  });
}
