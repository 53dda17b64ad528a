/** Does what keys ask for outside the state. Every failure becomes a message; none is thrown. */
import process from "node:process";
import type { Effect } from "../keys/commands.ts";
import { join } from "../../runtime/path.ts";
import type { ConsolePorts } from "../ports.ts";
import { screenList } from "../rows/screen.ts";
import type { Fact } from "../store/facts.ts";
import type { PendingEdit } from "../store/model.ts";
import type { State } from "../store/state.ts";
import type { Toast, UiAction } from "../store/ui.ts";
import { editGenerator, pendingRules, writeEdit } from "./edit_files.ts";
import { exportRows } from "./export_rows.ts";

/** Rows of an account's history. */
const HISTORY_ROWS_MAX = 50;
/** What of a transaction tells its account's habits, in the width of a terminal. */
const HISTORY_COLUMNS =
  "timestamp,amount,currency,merchant_category,transaction_type,location_country,status,is_flagged,merchant_name";
/** Longest text that terminals take over OSC 52. */
const COPY_BYTES_MAX = 74_000;

/** What effects work with. */
export interface EffectContext {
  ports: ConsolePorts;
  emit: (fact: Fact) => void;
  act: (action: UiAction) => void;
  state: () => State;
  quit: () => void;
  signal: AbortSignal;
}

/** Runs effects. */
export interface Effects {
  run(effect: Effect): void;
}

/** The escape sequence that puts a text on the clipboard of the terminal's own machine. */
export function copySequence(text: string): string {
  return `\x1b]52;c;${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}\x07`;
}

/** A window that is scrolled so far stays at its end while lines come. */
const END = Number.MAX_SAFE_INTEGER;

type Done = { text: string; tone?: Toast["tone"] } | undefined;

function files(context: EffectContext): NonNullable<ConsolePorts["files"]> {
  const { files, settings } = context.ports;
  // Keys are hidden and refused before; this is the last door.
  if (settings.readOnly !== false || files === undefined) throw new Error("read-only: refused");
  return files;
}

async function generator(
  context: EffectContext,
  change: { field: "rate_per_second"; value: number | "max" } | { field: "paused"; value: boolean },
): Promise<Done> {
  await editGenerator(files(context), change.field, change.value);
  const wroteAtMs = context.ports.now();
  const edit: PendingEdit = {
    id: wroteAtMs,
    what: change.field === "paused"
      ? `generator ${change.value ? "paused" : "resumed"}`
      : `rate ${change.value}/s`,
    stage: "generator",
    wroteAtMs,
    expect: change.field === "paused" ? { paused: change.value } : { rate: change.value },
    state: "waiting",
  };
  context.emit({ type: "edit_written", edit });
  return undefined;
}

async function verb(
  context: EffectContext,
  words: readonly string[],
  onLine: (line: string) => void = () => {},
): Promise<Done> {
  if (context.ports.settings.readOnly !== false) throw new Error("read-only: refused");
  const { verb: running } = context.state().model;
  if (running !== undefined && running.endedMs === undefined) {
    return { text: `deno task ${running.words.join(" ")} still runs`, tone: "warn" };
  }
  const { now, runVerb } = context.ports;
  context.emit({ type: "verb_started", words, atMs: now() });
  context.act({ type: "overlay", overlay: { kind: "verb", scroll: END } });
  const { code } = await runVerb(words, (line) => {
    onLine(line);
    context.emit({ type: "verb_output", lines: [line] });
  });
  context.emit({ type: "verb_ended", code, atMs: now() });
  return code === 0
    ? { text: `deno task ${words.join(" ")}: done` }
    : { text: `deno task ${words.join(" ")}: exit code ${code}`, tone: "bad" };
}

/** Runs a verb that changes nothing, and then asks whether to run the one that does. */
async function dryRun(
  context: EffectContext,
  { words, offer }: Extract<Effect, { kind: "dry_run" }>,
): Promise<Done> {
  const lines: string[] = [];
  const done = await verb(context, words, (line) => lines.push(line));
  const { overlay } = context.state().ui;
  // Whoever left the window meanwhile is not asked.
  if (context.state().model.verb?.code !== 0 || overlay?.kind !== "verb") return done;
  const asked = { kind: "confirm" as const, ...offer, typed: "", lines: [...lines, ""] };
  context.act({ type: "overlay", overlay: asked });
  return undefined;
}

async function history(context: EffectContext, accountId: string): Promise<Done> {
  const show = (lines: readonly string[]): void =>
    context.act({
      type: "overlay",
      overlay: { kind: "text", title: `account ${accountId}, from Iceberg`, lines, scroll: 0 },
    });
  show(["asking the tables …"]);
  const { code, stdout, stderr } = await context.ports.runVerb([
    "query",
    "--table",
    "transactions",
    "--account-id",
    accountId,
    "--columns",
    HISTORY_COLUMNS,
    "--limit",
    String(HISTORY_ROWS_MAX),
  ]);
  show((code === 0 ? stdout : stderr || stdout).trimEnd().split("\n"));
  return undefined;
}

function copy(text: string, what: string): Done {
  if (text.length > COPY_BYTES_MAX) return { text: "too long for the clipboard", tone: "warn" };
  process.stdout.write(copySequence(text));
  return { text: `copied ${what}, where the terminal allows it (OSC 52)` };
}

async function exportList(context: EffectContext, format: "ndjson" | "csv"): Promise<Done> {
  const state = context.state();
  const { columns, rows } = screenList(state);
  const stamp = new Date(context.ports.now()).toISOString().slice(0, 19).replaceAll(/[:-]/g, "");
  const path = join(context.ports.exportFolder, `${state.ui.screen}-${stamp}.${format}`);
  await Deno.writeTextFile(path, exportRows(columns, rows, format), { createNew: true });
  return { text: `${rows.length} rows written to ${path}` };
}

async function perform(effect: Effect, context: EffectContext): Promise<Done> {
  switch (effect.kind) {
    case "quit":
      context.quit();
      return undefined;
    case "rate":
      return await generator(context, { field: "rate_per_second", value: effect.rate });
    case "pause_generator":
      return await generator(context, { field: "paused", value: effect.paused });
    case "write": {
      const { edit } = effect;
      // Taken before the write: what is in force then is what must no longer be.
      const before = context.state();
      await writeEdit(files(context), edit);
      context.emit({
        type: "edit_written",
        edit: pendingRules(edit, before, context.ports.now()),
      });
      return undefined;
    }
    case "verb":
      return await verb(context, effect.words);
    case "dry_run":
      return await dryRun(context, effect);
    case "history":
      return await history(context, effect.accountId);
    case "copy":
      return copy(effect.text, effect.what);
    case "export":
      return await exportList(context, effect.format);
  }
}

/** Makes the runner. */
export function createEffects(context: EffectContext): Effects {
  const say = (text: string, tone: Toast["tone"]): void =>
    context.act({ type: "toast", toast: { text, tone, atMs: context.ports.now() } });
  return {
    run(effect) {
      perform(effect, context).then(
        (done) => {
          if (done !== undefined && !context.signal.aborted) say(done.text, done.tone ?? "ok");
        },
        (error) => say((error as Error).message.split("\n")[0]!, "bad"),
      );
    },
  };
}
