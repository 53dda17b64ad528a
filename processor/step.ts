/**
 * One step: batches of raw records in, outputs and changes of the state out. Pure but for the state
 * it is given: no clock, no I/O; `nowMs` goes into outputs and never into a verdict.
 */
import type { RecordBatch } from "../broker/port.ts";
import { formatTrace, printUuid } from "../contracts/ids.ts";
import { ADDED_FIELDS, TRANSACTION_FIELDS } from "../contracts/transaction.ts";
import { accountOf, hashBytes } from "../rules/values/facts.ts";
import type { Accepted, Rejection } from "./accepted.ts";
import { FORBIDDEN_KEYS } from "./json_scan.ts";
import { OutputBuilder } from "./output.ts";
import { printDeadLetter } from "./output_dead_letter.ts";
import type { PartitionState } from "./state.ts";
import { FramedChanges, type StepOutputs } from "./step_outputs.ts";
import type { OpenStep, StepContext, StepCounts, StepResult } from "./step_types.ts";
import { TimeRuns } from "./time_runs.ts";
import { scanFast } from "./fast_scan.ts";
import { type RawValue, validatePlain } from "./validate.ts";

/** Most alerts, and most dead letters, of one step that are named for the audit log. */
export const INFOS_MAX = 100;

/** Names that failures are counted under; a record's own inventions are one more, "other". */
const COUNTED_FIELDS: ReadonlySet<string> = new Set([
  "$",
  ...TRANSACTION_FIELDS,
  ...ADDED_FIELDS,
  ...FORBIDDEN_KEYS,
]);

function emptyResult(outputs: StepOutputs): StepResult {
  const counts: StepCounts = {
    records: 0,
    accepted: 0,
    alerts: 0,
    deadLettered: 0,
    keyMismatch: 0,
    errorsByType: new Map(),
    failuresByField: new Map(),
  };
  return {
    ...outputs,
    counts,
    recordTimes: new TimeRuns(),
    alertTimes: new TimeRuns(),
    alertInfos: [],
    deadLetterInfos: [],
  };
}

/** Everything that the records of one step share. */
interface Work {
  state: PartitionState;
  context: StepContext;
  result: StepResult;
  outputs: OutputBuilder;
  idOf: (sequence: number) => string | undefined;
}

/** Begins a step. Throws before the first rules are in force. */
export function openStep(state: PartitionState, context: StepContext): OpenStep {
  const { partition, rawTopic, nowMs } = context;
  const { rulesVersion } = state;
  if (rulesVersion === undefined) {
    throw new Error(`Cannot judge partition "${partition}": no rules are in force`);
  }
  const result = emptyResult(state.outputs.next());
  const work: Work = {
    state,
    context,
    result,
    outputs: new OutputBuilder({
      nowMs,
      rulesVersion,
      tracePrefix: formatTrace(rawTopic, partition, 0).slice(0, -1),
    }),
    idOf: (sequence) => state.dedup.idOf(sequence),
  };
  const { transactions, alerts, deadLetters } = result;
  return {
    judge: (records) => judge(work, records),
    get outputBytes() {
      return transactions.bytesHeld + alerts.bytesHeld + deadLetters.bytesHeld;
    },
    finish: () => finish(work),
  };
}

/** A step of one batch. */
export function step(
  state: PartitionState,
  records: RecordBatch,
  context: StepContext,
): StepResult {
  const open = openStep(state, context);
  open.judge(records);
  return open.finish();
}

/** Judges record by record, in offset order. */
function judge(work: Work, records: RecordBatch): void {
  const { state, result, context: { limits } } = work;
  const { accepted } = state;
  result.counts.records += records.count;
  const raw: RawValue = { bytes: records.bytes, start: 0, end: 0, timestampMs: 0 };
  for (let i = 0; i < records.count; i++) {
    raw.start = records.valueStart[i]!;
    raw.end = records.valueEnd[i]!;
    raw.timestampMs = records.timestamps[i]!;
    result.recordTimes.add(raw.timestampMs);
    const { start, end, timestampMs } = raw;
    const isPlain = end - start <= limits.recordBytesMax &&
      scanFast(raw.bytes, start, end, timestampMs, accepted);
    if (!isPlain) {
      const rejection = validatePlain(raw, limits.recordBytesMax, accepted);
      if (rejection !== undefined) {
        refuse(work, records, i, raw, rejection);
        continue;
      }
    }
    const sequence = state.dedup.add(accepted.id0, accepted.id1, accepted.id2, accepted.id3);
    if (sequence < 0) refuse(work, records, i, raw, duplicateOf(state));
    else take(work, records, i, sequence);
  }
}

/** Adds what changed in the state. */
function finish({ state, result }: Work): StepResult {
  const changes = new FramedChanges(result.changes);
  state.dedup.drain(changes);
  state.engine.drain(changes);
  return result;
}

function duplicateOf({ accepted, dedup }: PartitionState): Rejection {
  const { id0, id1, id2, id3 } = accepted;
  return {
    errorType: "duplicate",
    errors: [{
      field: "transaction_id",
      expected: `an id that is not among the last ${dedup.idsMax} accepted ids of its partition`,
      actual: `"${printUuid(id0, id1, id2, id3)}"`,
    }],
  };
}

/** Judges an accepted transaction and writes it and its alerts. */
function take(work: Work, records: RecordBatch, index: number, sequence: number): void {
  const { state, result, outputs } = work;
  const { accepted, facts, engine } = state;
  const offset = records.offsets[index]!;
  facts.offset = offset;
  facts.sequence = sequence;
  facts.timestampUs = accepted.timestampUs;
  facts.amountUnits = accepted.amountUnits;
  facts.currency = accepted.currency;
  facts.country = accepted.country;
  facts.category = accepted.category;
  facts.transactionType = accepted.transactionType;
  facts.status = accepted.status;
  facts.bytes = accepted.bytes;
  facts.accountStart = accepted.accountStart;
  facts.accountEnd = accepted.accountEnd;
  facts.accountHash = hashBytes(accepted.bytes, accepted.accountStart, accepted.accountEnd);
  engine.judge(facts);
  const { transactions, counts } = result;
  outputs.setOffset(offset);
  outputs.transaction(transactions, accepted, engine.firedCount > 0);
  counts.accepted++;
  if (!keyIsAccount(records, index, accepted)) counts.keyMismatch++;
  if (engine.firedCount > 0) raise(work, records, index);
}

/** Whether a raw record's key is its account_id. */
function keyIsAccount(records: RecordBatch, index: number, accepted: Accepted): boolean {
  const start = records.keyStart[index]!, end = records.keyEnd[index]!;
  const { bytes, accountStart, accountEnd } = accepted;
  if (start < 0 || end - start !== accountEnd - accountStart) return false;
  for (let i = start; i < end; i++) {
    if (records.bytes[i] !== bytes[accountStart + i - start]) return false;
  }
  return true;
}

/** Writes the alerts of the transaction that was judged last. */
function raise(work: Work, records: RecordBatch, index: number): void {
  const { state, result, outputs, context } = work;
  const offset = records.offsets[index]!;
  const { accepted, facts, engine } = state;
  const { alerts, alertTimes, counts, alertInfos } = result;
  const accountId = accountOf(facts);
  const explainContext = { accountId, transactionIdOf: work.idOf };
  for (let i = 0; i < engine.firedCount; i++) {
    const rule = engine.fired[i]!;
    outputs.alert(alerts, accepted, rule, rule.logic.explain(facts, explainContext));
    alertTimes.add(records.timestamps[index]!);
    counts.alerts++;
    if (alertInfos.length >= INFOS_MAX) continue;
    alertInfos.push({
      ruleName: rule.definition.rule_name,
      severity: rule.definition.severity,
      transactionId: printUuid(accepted.id0, accepted.id1, accepted.id2, accepted.id3),
      accountId,
      trace: formatTrace(context.rawTopic, context.partition, offset),
    });
  }
}

/** Writes the dead letter of a record. */
function refuse(
  work: Work,
  records: RecordBatch,
  index: number,
  raw: RawValue,
  rejection: Rejection,
): void {
  const { context, result, outputs } = work;
  const { deadLetters, counts, deadLetterInfos } = result;
  const offset = records.offsets[index]!;
  const trace = formatTrace(context.rawTopic, context.partition, offset);
  const text = printDeadLetter(raw, rejection, {
    topic: context.rawTopic,
    partition: context.partition,
    offset,
    trace,
    failedAt: outputs.time,
  });
  outputs.setOffset(offset);
  const [keyStart, keyEnd] = [records.keyStart[index]!, records.keyEnd[index]!];
  outputs.text(deadLetters, text, { bytes: records.bytes, keyStart, keyEnd });
  counts.deadLettered++;
  const { errorType, errors } = rejection;
  counts.errorsByType.set(errorType, (counts.errorsByType.get(errorType) ?? 0) + 1);
  const fields = [
    ...new Set(errors.map(({ field }) => COUNTED_FIELDS.has(field) ? field : "other")),
  ];
  for (const field of fields) {
    counts.failuresByField.set(field, (counts.failuresByField.get(field) ?? 0) + 1);
  }
  if (deadLetterInfos.length < INFOS_MAX) deadLetterInfos.push({ errorType, fields, trace });
}
