/** Follows a settings file while a stage runs. */
import type { z } from "zod";
import { ConfigError, type ConfigIssue } from "../contracts/errors.ts";
import { parseConfigText, type Parsed } from "./config_parse.ts";
import { displayPath } from "./env.ts";
import { sleep } from "./retry.ts";

/** Options of {@linkcode watchConfigFile}. */
export interface WatchOptions<T> {
  path: string;
  /** One of schema and parse. */
  schema?: z.ZodType<T>;
  parse?: (text: string, file: string) => Parsed<T>;
  /**
   * Called with every good version that differs from the text before, and with the first. What it
   * throws as ConfigError counts as issues of the file.
   */
  onValue: (value: T, text: string) => void | Promise<void>;
  /** Called with all issues of a broken or missing file, once per version of it. */
  onIssues: (issues: ConfigIssue[]) => void;
  /** Text that is in force already: it is not reported again. */
  textInForce?: string;
  /** @default {1000} */
  pollMs?: number;
  /** A new text must be read twice, this far apart, before it counts. @default {100} */
  settleMs?: number;
  signal: AbortSignal;
  /** @default {Deno.readTextFile} */
  read?: (path: string) => Promise<string>;
}

/** An unreadable file as an issue. */
export function unreadable(file: string, error: unknown): ConfigIssue {
  const reason = error instanceof Deno.errors.NotFound
    ? "no such file"
    : error instanceof Error
    ? error.message
    : String(error);
  return { file, field: "$", value: reason, expected: "a readable file" };
}

/**
 * Watches until `signal` aborts, then resolves.
 *
 * Reads the file once a second and compares the text: file events do not arrive through the bind
 * mounts of containers, are lost when an editor replaces the file by renaming, and a kilobyte a
 * second costs nothing. A text counts when two reads agree, so that a file that is being written
 * is not taken for an edit.
 */
export async function watchConfigFile<T>(options: WatchOptions<T>): Promise<void> {
  const { path, onValue, onIssues, pollMs = 1000, settleMs = 100, signal } = options;
  const { read = Deno.readTextFile } = options;
  const file = displayPath(path);
  const { schema } = options;
  const parse = options.parse ??
    (schema === undefined ? undefined : (text: string) => parseConfigText(text, file, schema));
  if (parse === undefined) {
    throw new TypeError(`Cannot watch "${path}": neither schema nor parse is given`);
  }
  let seen = options.textInForce;
  let missing: string | undefined;
  async function look(): Promise<void> {
    let text: string;
    try {
      text = await read(path);
      if (text === seen && missing === undefined) return;
      await sleep(settleMs, signal);
      if (await read(path) !== text) return;
    } catch (error) {
      if (signal.aborted) return;
      const issue = unreadable(file, error);
      if (missing !== issue.value) onIssues([issue]);
      missing = issue.value;
      return;
    }
    missing = undefined;
    seen = text;
    const parsed = parse!(text, file);
    if (!parsed.ok) return onIssues(parsed.issues);
    try {
      await onValue(parsed.value, text);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      onIssues([...error.issues]);
    }
  }
  while (!signal.aborted) {
    await look();
    await sleep(pollMs, signal).catch(() => {});
  }
}
