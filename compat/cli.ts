/**
 * The part of `jsr:@std/cli/parse-args` that the tasks use, on Node's own parseArgs. JSR cannot be
 * reached where this is built; the alias `@std/cli` in deno.json makes the later swap one line.
 */
import { parseArgs as nodeParseArgs } from "node:util";

/** Which flags there are; anything else on the line is reported through `unknown`. */
export interface ParseOptions {
  boolean?: string[];
  string?: string[];
  /** Flags that may be given more than once. */
  collect?: string[];
  alias?: Record<string, string>;
  /** Called with each word that looks like a flag and is none. */
  unknown?: (arg: string) => void;
}

/** `_` holds the positional words. */
export type Args = { _: string[] } & Record<string, string | boolean | string[] | undefined>;

/** Splits a command line into flags and positional words; `--no-x` sets the boolean `x` to false. */
export function parseArgs(args: string[], options: ParseOptions = {}): Args {
  const { boolean = [], string = [], collect = [], alias = {}, unknown } = options;
  const shorts = new Map(Object.entries(alias));
  const config: Record<string, { type: "boolean" | "string"; multiple?: boolean; short?: string }> =
    {};
  for (const name of boolean) config[name] = { type: "boolean" };
  for (const name of string) config[name] = { type: "string", multiple: collect.includes(name) };
  for (const [short, name] of shorts) {
    const flag = config[name];
    if (flag !== undefined) flag.short = short;
  }
  const { tokens } = nodeParseArgs({
    args,
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const out: Args = { _: [] };
  for (const token of tokens) {
    if (token.kind === "positional") out._.push(token.value);
    if (token.kind !== "option") continue;
    const flag = config[token.name];
    const negated = token.name.startsWith("no-") ? token.name.slice(3) : undefined;
    if (flag === undefined && negated !== undefined && boolean.includes(negated)) {
      out[negated] = false;
    } else if (flag === undefined) {
      unknown?.(token.rawName);
    } else if (flag.type === "boolean") {
      out[token.name] = true;
    } else if (collect.includes(token.name)) {
      ((out[token.name] ??= []) as string[]).push(token.value ?? "");
    } else {
      out[token.name] = token.value ?? "";
    }
  }
  return out;
}
