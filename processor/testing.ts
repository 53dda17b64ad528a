/** For the processor's suites: record batches and transactions made by hand. */
import type { RecordBatch } from "../broker/port.ts";
import { decodeRecordBatches } from "../broker/record_batch_decode.ts";
import type { RecordFrames } from "../broker/record_frames.ts";
import { HEADER_TRACE } from "../contracts/headers.ts";
import { compileRules } from "../rules/compile.ts";
import { RuleFile } from "../rules/rule_file.ts";
import type { VerdictSettings } from "../rules/version.ts";
import { createPartitionState, type PartitionState, setRules } from "./state.ts";
import type { StateChange, StepContext } from "./step_types.ts";

/** A raw record. */
export interface RawRecord {
  offset: number;
  key?: string | null;
  /** null is a tombstone. */
  value: string | Uint8Array | null;
  timestampMs?: number;
}

/** Kafka timestamp of records that name none: 2026-06-01T12:00:00Z. */
export const KAFKA_MS = Date.UTC(2026, 5, 1, 12);

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Lays records over one buffer, as an adapter does. */
export function recordBatch(records: readonly RawRecord[]): RecordBatch {
  const count = records.length;
  const parts: Uint8Array[] = [new Uint8Array([0x7b])]; // so that nothing begins at 0
  let length = 1;
  const put = (part: string | Uint8Array | null | undefined): [number, number] => {
    if (part === null || part === undefined) return [-1, -1];
    const bytes = typeof part === "string" ? encoder.encode(part) : part;
    parts.push(bytes);
    length += bytes.length;
    return [length - bytes.length, length];
  };
  const columns = {
    offsets: new Float64Array(count),
    timestamps: new Float64Array(count),
    keyStart: new Int32Array(count),
    keyEnd: new Int32Array(count),
    valueStart: new Int32Array(count),
    valueEnd: new Int32Array(count),
  };
  records.forEach((record, i) => {
    columns.offsets[i] = record.offset;
    columns.timestamps[i] = record.timestampMs ?? KAFKA_MS;
    [columns.keyStart[i], columns.keyEnd[i]] = put(record.key) as [number, number];
    [columns.valueStart[i], columns.valueEnd[i]] = put(record.value) as [number, number];
  });
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { count, bytes, ...columns, header: () => undefined, findHeader: () => false };
}

/** A valid transaction's fields, in the contract's order; `changes` replace or add. */
export function transaction(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    transaction_id: "0b0e7a6e-0b7e-4b7e-8b7e-000000000001",
    timestamp: "2026-06-01T11:59:58.123Z",
    account_id: "ACC1234567",
    amount: 12.5,
    currency: "USD",
    merchant_name: "Corner Shop",
    merchant_category: "retail",
    transaction_type: "purchase",
    location_country: "US",
    status: "completed",
    ...changes,
  };
}

/** A UUID that ends in `n`. */
export function testId(n: number): string {
  return `0b0e7a6e-0b7e-4b7e-8b7e-${n.toString(16).padStart(12, "0")}`;
}

/** Settings of the suites. */
export const SETTINGS: VerdictSettings = {
  dedup_ids_max: 1024,
  accounts_max: 100,
  record_bytes_max: 256 * 1024,
  time_zone_data: "test",
};

/** The three rules as they are shipped. */
export const SHIPPED_RULES: unknown[] = [
  {
    rule_name: "high-value",
    rule_type: "threshold",
    severity: "high",
    parameters: { amount: 10000 },
  },
  {
    rule_name: "rapid-activity",
    rule_type: "velocity",
    severity: "medium",
    parameters: { at_least: 5, window_seconds: 60 },
  },
  {
    rule_name: "unusual-hour",
    rule_type: "quiet_hours",
    severity: "low",
    parameters: { start: "01:00", end: "05:00" },
  },
];

/** What a step is told. */
export const CONTEXT: StepContext = {
  partition: 0,
  rawTopic: "raw-transactions",
  nowMs: Date.UTC(2026, 5, 1, 12, 0, 1),
  limits: { recordBytesMax: SETTINGS.record_bytes_max },
};

/** A fresh state under `rules`. */
export function freshState(
  rules: unknown[] = SHIPPED_RULES,
  limits: { dedupIdsMax?: number; accountsMax?: number } = {},
): { state: PartitionState; changes: StateChange[] } {
  const state = createPartitionState({
    dedupIdsMax: limits.dedupIdsMax ?? SETTINGS.dedup_ids_max,
    accountsMax: limits.accountsMax ?? SETTINGS.accounts_max,
  });
  const changes = setRules(state, compileRules(RuleFile.parse({ rules }), SETTINGS));
  return { state, changes };
}

/** Framed records as columns, read back as a consumer reads them; `traces` where they have such a header. */
export function columnsOf(
  frames: RecordFrames,
): { keys: (Uint8Array | null)[]; values: (Uint8Array | null)[]; traces: Uint8Array[] } {
  const keys: (Uint8Array | null)[] = [], values: (Uint8Array | null)[] = [];
  const traces: Uint8Array[] = [];
  for (const chunk of frames.plan()) {
    const batch = frames.encode(chunk, { timestamp: 0 }).slice();
    const { records } = decodeRecordBatches(batch, {
      fetchOffset: 0,
      isolation: "uncommitted",
      aborted: [],
    });
    const slice = (start: number, end: number) =>
      start < 0 ? null : records.bytes.slice(start, end);
    for (let i = 0; i < records.count; i++) {
      keys.push(slice(records.keyStart[i]!, records.keyEnd[i]!));
      values.push(slice(records.valueStart[i]!, records.valueEnd[i]!));
      const trace = records.header(i, HEADER_TRACE);
      if (trace !== undefined) traces.push(trace.slice());
    }
  }
  return { keys, values, traces };
}

/** Framed changes of the state. */
export function changesOf(frames: RecordFrames): StateChange[] {
  const { keys, values } = columnsOf(frames);
  return keys.map((key, i) => ({ key: key!, value: values[i]! }));
}

/** Decodes output values. */
// deno-lint-ignore no-explicit-any -- tests look into any field
export function documents(frames: RecordFrames): any[] {
  return columnsOf(frames).values.map((value) => JSON.parse(decoder.decode(value!)));
}

/** Decodes bytes as text. */
export function texts(values: readonly (Uint8Array | null)[]): (string | null)[] {
  return values.map((value) => value === null ? null : decoder.decode(value));
}
