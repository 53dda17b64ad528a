/** `deno task bench`: figures of this machine, on services of its own. Not a test: nothing is asserted. */
import { EXIT, MisuseError } from "../contracts/errors.ts";
import { benchProcessor } from "./bench/processor.ts";
import { parseFlags, runTask } from "./cli.ts";

const HELP = `deno task bench processor [--sizes 1000000,3000000]

  processor   drains backlogs of these sizes from Kafka to Kafka, exactly-once, and measures the
              latencies at 1,000 transactions a second. One JSON line per figure.

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
    if (what !== "processor") {
      throw new MisuseError(`Cannot bench "${what ?? ""}": expected processor`);
    }
    await benchProcessor({
      sizes: readSizes(flags.sizes as string | undefined),
      random: Math.random,
    });
    return EXIT.ok;
  });
}
