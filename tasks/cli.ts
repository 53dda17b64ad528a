/** What every verb shares: flags that are checked, help, and exit codes that mean something. */
import { type Args, parseArgs } from "@std/cli";
import {
  ConfigError,
  EXIT,
  MisuseError,
  NotReadyError,
  ServiceUnreachableError,
} from "../contracts/errors.ts";
import { UnreachableError } from "../broker/port.ts";
import { nearest } from "../runtime/nearest.ts";
import { exitCodeOf } from "../runtime/shutdown.ts";

/** The flags of a verb. */
export interface FlagSpec {
  boolean?: string[];
  string?: string[];
  /** String flags that may be repeated. */
  collect?: string[];
  alias?: Record<string, string>;
  /** Most positional words. @default 0 */
  wordsMax?: number;
}

/**
 * Parses a command line strictly.
 *
 * @throws {MisuseError} naming the unknown flag and the nearest right one, or the word too many.
 */
export function parseFlags(args: string[], spec: FlagSpec): Args {
  const { boolean = [], string = [], wordsMax = 0 } = spec;
  const unknown: string[] = [];
  const flags = parseArgs(args, { ...spec, unknown: (flag) => unknown.push(flag) });
  const wrong = unknown[0];
  if (wrong !== undefined) {
    const meant = nearest(wrong.replace(/^-+/, ""), [...boolean, ...string]);
    throw new MisuseError(
      `Cannot use "${wrong}": no such flag${
        meant === undefined ? "" : `; did you mean --${meant}?`
      }`,
    );
  }
  const empty = string.find((name) => flags[name] === "");
  if (empty !== undefined) throw new MisuseError(`Cannot use "--${empty}": it needs a value`);
  if (flags._.length > wordsMax) {
    throw new MisuseError(`Cannot use "${flags._[wordsMax]}": expected ${wordsMax} words at most`);
  }
  return flags;
}

const EXPECTED_ERRORS = [
  MisuseError,
  ConfigError,
  NotReadyError,
  ServiceUnreachableError,
  UnreachableError,
];

/**
 * Runs a verb: `--help` prints the help, an error goes to stderr (with its stack only where it is a
 * bug), and the process ends with the code that `main` or the error gives.
 */
export async function runTask(
  help: string,
  main: (args: string[]) => Promise<number>,
  args: string[] = Deno.args,
): Promise<never> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(help);
    Deno.exit(EXIT.ok);
  }
  try {
    Deno.exit(await main(args));
  } catch (error) {
    const expected = EXPECTED_ERRORS.some((kind) => error instanceof kind);
    console.error(expected ? (error as Error).message : error);
    if (error instanceof MisuseError) console.error("--help says how it is used");
    Deno.exit(exitCodeOf(error));
  }
}
