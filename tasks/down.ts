/** `deno task down`: stops the pipeline in order; the data stays unless --purge. */
import { EXIT, MisuseError } from "../contracts/errors.ts";
import { parseFlags, runTask } from "./cli.ts";
import { compose } from "./docker/engine.ts";
import { type Layout, readMarker } from "./native/layout.ts";
import { currentPlace } from "./native/place.ts";
import { StartError } from "./native/service_spec.ts";
import { stopNative } from "./native/stop.ts";

const HELP = `deno task down [--purge [--yes]]

  Stops generator, processor, sink, catalog and Kafka in this order, within 30 s. The data stays.

  --purge   then removes the data folder: topics, tables, logs. Asks first.
  --yes     do not ask

Exit codes: 0 stopped (or nothing ran), 1 the purge was declined, 2 misuse.`;

async function purge(layout: Layout, yes: boolean): Promise<number> {
  if (await readMarker(layout) === undefined) {
    console.log(`Nothing to purge: "${layout.root}" is not the data folder of a pipeline`);
    return EXIT.ok;
  }
  if (!yes) {
    if (!Deno.stdin.isTerminal()) {
      throw new MisuseError('Cannot ask before "--purge" without a terminal: expected --yes');
    }
    const answer = prompt(`Remove all topics, tables and logs in ${layout.root}? [y/N]`) ?? "";
    if (!/^y(es)?$/i.test(answer.trim())) {
      console.log("Nothing was removed");
      return EXIT.no;
    }
  }
  await Deno.remove(layout.root, { recursive: true });
  console.log(`Removed ${layout.root}`);
  return EXIT.ok;
}

if (import.meta.main) {
  await runTask(HELP, async (args) => {
    const flags = parseFlags(args, { boolean: ["purge", "yes"] });
    const place = await currentPlace();
    const { layout } = place;
    const began = performance.now();
    try {
      if ((await readMarker(layout))?.mode === "docker") {
        await compose(place, flags.purge ? ["down", "--volumes"] : ["down"]);
      } else {
        const { stopped, killed } = await stopNative(layout);
        const seconds = ((performance.now() - began) / 1000).toFixed(1);
        const what = stopped.length === 0 ? "Nothing was running" : `Stopped ${stopped.join(", ")}`;
        console.log(`${what} (${seconds} s)`);
        if (killed.length > 0) console.log(`Had to be killed: ${killed.join(", ")}`);
      }
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      console.error(error.message);
      return error.exitCode;
    }
    return flags.purge ? await purge(layout, flags.yes === true) : EXIT.ok;
  });
}
