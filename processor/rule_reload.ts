/**
 * `config/alerting-rules.yaml` while the processor runs (H5): the last valid version, and what is wrong with
 * the file now. Partitions look at `current()` at each batch edge (U2), idle ones at least every
 * fetch wait, so an edit is in force within the poll, the settling and one wait: under 2 s.
 */
import type { ConfigIssue } from "../contracts/errors.ts";
import type { Parsed } from "../runtime/config_parse.ts";
import { unreadable, watchConfigFile } from "../runtime/config_watch.ts";
import { displayPath } from "../runtime/env.ts";
import type { RuleSource } from "./context.ts";
import type { ReadyRuleSet } from "./step_types.ts";

/** Who is told of the file's changes. */
export interface RuleFileListener {
  /** A valid version was read; partitions put it in force at their next batch edge. */
  loaded(version: string): void;
  /** The file is broken; the last good version stays in force. */
  broken(issues: readonly ConfigIssue[]): void;
}

/** Options of {@linkcode openRuleFile}. */
export interface RuleFileOptions<Compiled> {
  path: string;
  /** The text's rule set, compiled; or all that is wrong with it. Pure. */
  parse: (text: string, file: string) => Parsed<ReadyRuleSet<Compiled>>;
  listener: RuleFileListener;
  /** @default {1000} */
  pollMs?: number;
  /** @default {Deno.readTextFile} */
  read?: (path: string) => Promise<string>;
}

/** The rule file as a source that follows its edits. */
export interface RuleFileSource<Compiled> extends RuleSource<Compiled> {
  /** Follows the file until the signal aborts. */
  watch(signal: AbortSignal): Promise<void>;
}

/** Reads the rule file once; a broken or missing one is not an error here, only an issue. */
export async function openRuleFile<Compiled>(
  options: RuleFileOptions<Compiled>,
): Promise<RuleFileSource<Compiled>> {
  const { path, parse, listener, pollMs = 1000, read = Deno.readTextFile } = options;
  const file = displayPath(path);
  let current: ReadyRuleSet<Compiled> | undefined;
  let issues: readonly ConfigIssue[] = [];
  function use(rules: ReadyRuleSet<Compiled>): void {
    issues = [];
    // The same object as long as the version is the same: comments and layout are no change.
    if (current?.version !== rules.version) current = rules;
    listener.loaded(rules.version);
  }
  function refuse(broken: readonly ConfigIssue[]): void {
    issues = broken;
    listener.broken(broken);
  }
  let text: string | undefined;
  try {
    text = await read(path);
    const parsed = parse(text, file);
    if (parsed.ok) use(parsed.value);
    else refuse(parsed.issues);
  } catch (error) {
    refuse([unreadable(file, error)]);
  }
  return {
    current: () => current,
    issues: () => issues,
    watch: (signal) =>
      watchConfigFile({
        path,
        parse,
        onValue: use,
        onIssues: refuse,
        pollMs,
        read,
        signal,
        ...(text === undefined ? {} : { textInForce: text }),
      }),
  };
}
