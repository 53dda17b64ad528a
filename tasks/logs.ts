/** `deno task logs [service] [-f]`: the last lines of the logs, and those that come. */
import { EXIT, MisuseError } from "../contracts/errors.ts";
import { SERVICE_NAMES } from "../contracts/services.ts";
import { parseFlags, runTask } from "./cli.ts";
import { compose } from "./docker/engine.ts";
import { type Layout, logPath, type ProgramName, readMarker } from "./native/layout.ts";
import { lastLines, LogFollower } from "./native/log_files.ts";
import { currentPlace } from "./native/place.ts";
import { sleep } from "./native/process.ts";

const NAMES: readonly ProgramName[] = [...SERVICE_NAMES, "supervisor"];

const HELP = `deno task logs [${NAMES.join("|")}] [-f] [--lines N]

  Without a name: all of them, each line with its service in front.

  -f, --follow   go on as lines come; Ctrl-C ends it
  --lines N      how many of the last lines first (default 50; of each service 10)

Exit codes: 0 fine, 1 there is no log, 2 misuse.`;

const POLL_MS = 250;

async function followLogs(layout: Layout, names: readonly ProgramName[]): Promise<never> {
  const followers = names.map((name) => ({ name, log: new LogFollower(logPath(layout, name)) }));
  for (const { log } of followers) await log.skipToEnd();
  while (true) {
    for (const { name, log } of followers) print(await log.read(), prefixOf(name, names));
    await sleep(POLL_MS);
  }
}

function prefixOf(name: ProgramName, names: readonly ProgramName[]): string {
  return names.length === 1 ? "" : `${name.padEnd(10)} | `;
}

function print(lines: readonly string[], prefix: string): void {
  for (const line of lines) console.log(prefix + line);
}

if (import.meta.main) {
  await runTask(HELP, async (args) => {
    const spec = { boolean: ["follow"], string: ["lines"], alias: { f: "follow" }, wordsMax: 1 };
    const flags = parseFlags(args, spec);
    const word = flags._[0];
    const name = NAMES.find((candidate) => candidate === word);
    if (word !== undefined && name === undefined) {
      throw new MisuseError(`Cannot show the log of "${word}": expected ${NAMES.join(", ")}`);
    }
    const count = flags.lines as string | undefined;
    if (count !== undefined && !/^\d{1,6}$/.test(count)) {
      throw new MisuseError(`Cannot use "--lines ${count}": expected a number`);
    }
    const place = await currentPlace();
    const { layout } = place;
    if ((await readMarker(layout))?.mode === "docker") {
      const follow = flags.follow ? ["--follow"] : [];
      const services = name === undefined ? [] : [name];
      await compose(place, ["logs", "--tail", count ?? "50", ...follow, ...services]);
      return EXIT.ok;
    }
    const names = name === undefined ? NAMES : [name];
    const lines = Number(count ?? (name === undefined ? 10 : 50));
    let found = 0;
    for (const one of names) {
      const last = await lastLines(logPath(layout, one), lines);
      found += last.length;
      print(last, prefixOf(one, names));
    }
    if (flags.follow) await followLogs(layout, names);
    if (found === 0) console.error(`No logs in "${layout.logs}": the pipeline never ran there`);
    return found === 0 ? EXIT.no : EXIT.ok;
  });
}
