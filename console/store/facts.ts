/** What sources report, and how it changes the model. Pure: the time is in the fact. */
import type { RuleDefinition } from "../../rules/rule_type.ts";
import type { GeneratorConfig } from "../../contracts/generator_config.ts";
import type { ServiceName } from "../../contracts/services.ts";
import type { PipelineStatus, StageStatus } from "../../contracts/status.ts";
import { settleEdits } from "./edits.ts";
import { appendFeed } from "./feed.ts";
import type {
  AlertItem,
  Conservation,
  DeadLetterItem,
  FileView,
  Fired,
  GroupView,
  LogItem,
  Model,
  PartitionView,
  PendingEdit,
  TableView,
} from "./model.ts";
import { addSamples } from "./series.ts";

/** Something that a source found out. */
export type Fact =
  | { type: "status"; atMs: number; document: PipelineStatus; stages: readonly StageStatus[] }
  | { type: "status_failed"; atMs: number; message: string }
  | { type: "alerts"; items: readonly AlertItem[]; skipped: number }
  | { type: "dead_letters"; items: readonly DeadLetterItem[]; skipped: number }
  | { type: "logs"; items: readonly LogItem[] }
  | {
    type: "streams";
    partitions: readonly PartitionView[];
    groups: readonly GroupView[];
  }
  | { type: "broker_failed"; atMs: number; message: string }
  | { type: "tables"; atMs: number; tables: readonly TableView[] }
  | { type: "tables_failed"; atMs: number; message: string }
  | { type: "rules"; file: FileView<readonly RuleDefinition[]> }
  | { type: "generator"; file: FileView<GeneratorConfig> }
  | { type: "edit_written"; edit: PendingEdit }
  | { type: "verb_started"; words: readonly string[]; atMs: number }
  | { type: "verb_output"; lines: readonly string[] }
  | { type: "verb_ended"; code: number; atMs: number }
  | { type: "conservation"; counts: Conservation };

/** Lines of a verb's output kept. */
const VERB_LINES_MAX = 500;
/** Commit durations remembered. */
const COMMIT_MS_MAX = 2000;
/** Edits remembered. */
const EDITS_MAX = 20;
/** Texts of the rule file remembered. */
const RULE_TEXTS_MAX = 20;
const FIRED_SECONDS = 60;

/** Records behind, summed over the partitions of a group; those never committed count from 0. */
export function groupLag(lag: PipelineStatus["lag"], group: string): number {
  return lag.filter((one) => one.group === group).reduce(
    (sum, { end, committed }) => sum + Math.max(0, Number(end) - Math.max(0, Number(committed))),
    0,
  );
}

function statusFact(model: Model, fact: Extract<Fact, { type: "status" }>): Model {
  const { document, stages, atMs } = fact;
  const downSince: Partial<Record<ServiceName, number>> = {};
  for (const service of document.services) {
    if (service.state === "running" && service.ready) continue;
    downSince[service.name] = model.downSince[service.name] ?? atMs;
  }
  const { statusError: _, ...rest } = model;
  return settleEdits({
    ...rest,
    status: { document, stages, atMs },
    downSince,
    everUp: model.everUp || document.health !== "unreachable",
    history: addSamples(model.history, {
      generated: document.rates.generated,
      processed: document.rates.processed,
      stored: document.rates.stored,
      alerts: document.rates.alerts,
      dead_lettered: document.rates.dead_lettered,
      lag_processor: groupLag(document.lag, "processor"),
      lag_sink: groupLag(document.lag, "sink"),
    }),
  }, atMs);
}

function countFired(
  fired: Readonly<Record<string, Fired>>,
  items: readonly AlertItem[],
): Record<string, Fired> {
  const next: Record<string, Fired> = { ...fired };
  const byRule = Map.groupBy(items, ({ alert }) => alert.rule_name);
  for (const [rule, alerts] of byRule) {
    const before = next[rule] ?? { total: 0, lastMs: 0, seconds: [] };
    const counts = new Map(before.seconds);
    let { lastMs } = before;
    for (const { atMs } of alerts) {
      const second = Math.floor(atMs / 1000);
      counts.set(second, (counts.get(second) ?? 0) + 1);
      lastMs = Math.max(lastMs, atMs);
    }
    // Partitions are read side by side: seconds come in any order.
    const first = Math.floor(lastMs / 1000) - FIRED_SECONDS;
    const seconds = [...counts].filter(([at]) => at > first).sort(([a], [b]) => a - b);
    next[rule] = { total: before.total + alerts.length, lastMs, seconds };
  }
  return next;
}

function rememberCommits(
  known: ReadonlyMap<string, number>,
  items: readonly LogItem[],
): ReadonlyMap<string, number> {
  const commits = items.filter(({ event, fields }) =>
    event === "committed" && typeof fields.snapshot_id === "string" && typeof fields.ms === "number"
  );
  if (commits.length === 0) return known;
  const all = [...known, ...commits.map(({ fields }) => [fields.snapshot_id, fields.ms] as const)];
  return new Map(all.slice(-COMMIT_MS_MAX) as [string, number][]);
}

function verbFact(model: Model, fact: Fact): Model {
  const { verb } = model;
  switch (fact.type) {
    case "verb_started":
      return { ...model, verb: { words: fact.words, lines: [], startedMs: fact.atMs } };
    case "verb_output":
      if (verb === undefined) return model;
      return {
        ...model,
        verb: { ...verb, lines: [...verb.lines, ...fact.lines].slice(-VERB_LINES_MAX) },
      };
    case "verb_ended":
      if (verb === undefined) return model;
      return { ...model, verb: { ...verb, code: fact.code, endedMs: fact.atMs } };
    default:
      return model;
  }
}

/** The texts before this one, for a way back; a text with errors is none to go back to. */
function textsBefore({ rules, rulesBefore }: Model, text: string): readonly string[] {
  if (rules?.value === undefined || rules.text === text) return rulesBefore;
  return [...rulesBefore, rules.text].slice(-RULE_TEXTS_MAX);
}

/** The model after a fact. */
export function reduceFact(model: Model, fact: Fact): Model {
  switch (fact.type) {
    case "status":
      return statusFact(model, fact);
    case "status_failed":
      return {
        ...model,
        statusError: {
          message: fact.message,
          sinceMs: model.statusError?.sinceMs ?? fact.atMs,
        },
      };
    case "alerts":
      return {
        ...model,
        alerts: appendFeed(model.alerts, fact.items, fact.skipped),
        fired: countFired(model.fired, fact.items),
      };
    case "dead_letters":
      return { ...model, deadLetters: appendFeed(model.deadLetters, fact.items, fact.skipped) };
    case "logs":
      return {
        ...model,
        logs: appendFeed(model.logs, fact.items),
        commitMs: rememberCommits(model.commitMs, fact.items),
      };
    case "streams": {
      const { brokerError: _, ...rest } = model;
      return { ...rest, partitions: fact.partitions, groups: fact.groups };
    }
    case "broker_failed": {
      const sinceMs = model.brokerError?.sinceMs ?? fact.atMs;
      return { ...model, brokerError: { message: fact.message, sinceMs } };
    }
    case "tables": {
      const { tablesError: _, ...rest } = model;
      return { ...rest, tables: fact.tables, tablesAtMs: fact.atMs };
    }
    case "tables_failed": {
      const sinceMs = model.tablesError?.sinceMs ?? fact.atMs;
      return { ...model, tablesError: { message: fact.message, sinceMs } };
    }
    case "rules":
      return { ...model, rules: fact.file, rulesBefore: textsBefore(model, fact.file.text) };
    case "generator":
      return { ...model, generator: fact.file };
    case "edit_written":
      return { ...model, edits: [...model.edits, fact.edit].slice(-EDITS_MAX) };
    case "conservation":
      return { ...model, conservation: fact.counts };
    default:
      return verbFact(model, fact);
  }
}
