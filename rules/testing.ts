/** For the rule suites: transactions as aligned text tables, run through the engine and the judge. */
import { assertEquals } from "@std/assert";
import { parseAmount } from "../contracts/money.ts";
import { parseTimestamp } from "../contracts/timestamps.ts";
import { RuleEngine } from "./engine.ts";
import { emptyFacts, setFacts } from "./values/facts.ts";
import { NaiveJudge, type NaiveTransaction } from "./naive.ts";
import { RuleFile } from "./rule_file.ts";
import type { Explanation, RuleDefinition } from "./rule_type.ts";
import { ChangeList, type ChangeSink, type StateChange } from "./state_change.ts";

const decoder = new TextDecoder();

/** Checks rules as the rule file would hold them; throws where the schema refuses them. */
export function checkedRules(rules: unknown[]): RuleDefinition[] {
  return RuleFile.parse({ rules }).rules as RuleDefinition[];
}

/** An enabled rule with plain values around its type and parameters. */
export function rule(rule_name: string, rule_type: string, parameters: unknown): unknown {
  return { rule_name, rule_type, severity: "medium", enabled: true, description: "", parameters };
}

/** A cell as the program before CELLS_VERSION 2 wrote it: key -5, last touch 900, words 1, 0, 300, 0, 0. */
export const SINGLE_CELL: Uint8Array = Uint8Array.of(1, 10, 9, 136, 14, 2, 0, 216, 4);

/** Applies changes to a changelog as compaction leaves it. */
export function compact(changelog: Map<string, Uint8Array>, changes: readonly StateChange[]): void {
  for (const { key, value } of changes) {
    const text = decoder.decode(key);
    changelog.delete(text); // the order of the last write counts
    if (value !== null) changelog.set(text, value);
  }
}

/** What changed since the last time. */
export function drained(state: { drain(changes: ChangeSink): void }): StateChange[] {
  const list = new ChangeList();
  state.drain(list);
  return list.changes;
}

/** What one transaction led to. */
export interface Outcome {
  fired: string[];
  explanations: Explanation[];
}

/** Runs transactions through an engine, one by one. */
export class EngineRun {
  readonly engine: RuleEngine;
  readonly #facts = emptyFacts();
  #sequence = 0;

  constructor(options: { accountsMax?: number; engine?: RuleEngine; sequence?: number } = {}) {
    this.engine = options.engine ?? new RuleEngine({ accountsMax: options.accountsMax ?? 1000 });
    this.#sequence = options.sequence ?? 0;
  }

  judge(tx: NaiveTransaction): Outcome {
    const facts = this.#facts;
    facts.offset = tx.offset;
    facts.sequence = this.#sequence++;
    facts.timestampUs = tx.timestampUs;
    facts.amountUnits = Number(tx.amountUnits);
    setFacts(facts, {
      account_id: tx.accountId,
      currency: tx.currency,
      location_country: tx.country,
      merchant_category: tx.category,
      transaction_type: tx.transactionType,
      status: tx.status,
    });
    this.engine.judge(facts);
    const fired = this.engine.fired.slice(0, this.engine.firedCount);
    const context = { accountId: tx.accountId, transactionIdOf: (n: number) => `#${n}` };
    return {
      fired: fired.map(({ definition }) => definition.rule_name),
      explanations: fired.map(({ logic }) => logic.explain(facts, context)),
    };
  }
}

const DEFAULTS: NaiveTransaction = {
  offset: 0,
  timestampUs: Date.UTC(2026, 0, 15, 12) * 1000,
  accountId: "A1",
  amountUnits: 100_000n,
  currency: "USD",
  country: "US",
  category: "retail",
  transactionType: "purchase",
  status: "completed",
};

function readCell(tx: NaiveTransaction, column: string, text: string): void {
  if (column === "time") {
    const us = parseTimestamp(text.length <= 15 ? `2026-01-15T${text}Z` : text);
    if (us === undefined) throw new Error(`Cannot read time "${text}"`);
    tx.timestampUs = us;
  } else if (column === "amount") {
    const verdict = parseAmount(text);
    if (!verdict.ok) throw new Error(`Cannot read amount "${text}": ${verdict.reason}`);
    tx.amountUnits = verdict.units;
  } else if (column === "account") tx.accountId = text;
  else if (column === "type") tx.transactionType = text;
  else if (column === "currency" || column === "category" || column === "status") tx[column] = text;
  else throw new Error(`Cannot read column "${column}"`);
}

/**
 * Reads a table: the first line names columns, each further one is a transaction, the last column
 * holds the expected alerts (`-` for none, several joined by `+`). A time without a date is of
 * 2026-01-15 UTC, a Thursday. A line `-- name` puts the rule set of that name in force.
 */
export function readTable(
  text: string,
): ({ tx: NaiveTransaction; expected: string[]; line: string } | { rules: string })[] {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const columns = lines[0]!.split(/\s+/);
  return lines.slice(1).map((line, offset) => {
    if (line.startsWith("-- ")) return { rules: line.slice(3) };
    const cells = line.split(/\s+/);
    const tx = { ...DEFAULTS, offset };
    columns.slice(0, -1).forEach((column, i) => readCell(tx, column, cells[i]!));
    const last = cells[columns.length - 1]!;
    return { tx, expected: last === "-" ? [] : last.split("+"), line };
  });
}

/** Checks a table of {@linkcode readTable} against the engine and the judge. */
export function checkTable(
  rules: unknown[] | Record<string, unknown[]>,
  text: string,
  options: { accountsMax?: number } = {},
): Outcome[] {
  const accountsMax = options.accountsMax ?? 1000;
  const run = new EngineRun({ accountsMax });
  const naive = new NaiveJudge({ accountsMax });
  const put = (definitions: unknown[]) => {
    run.engine.setRules(checkedRules(definitions));
    naive.setRules(checkedRules(definitions));
  };
  if (Array.isArray(rules)) put(rules);
  return readTable(text).map((row) => {
    if ("rules" in row) {
      put((rules as Record<string, unknown[]>)[row.rules]!);
      return { fired: [], explanations: [] };
    }
    const outcome = run.judge(row.tx);
    assertEquals(outcome.fired, row.expected, `engine: ${row.line}`);
    assertEquals(naive.judge(row.tx), row.expected, `judge: ${row.line}`);
    return outcome;
  });
}
