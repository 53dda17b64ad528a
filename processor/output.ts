/** Output values of accepted transactions, built from the original bytes rather than serialised anew. */
import { dayOf, printDate, printTimestamp } from "../contracts/timestamps.ts";
import type { ActiveRule } from "../rules/engine.ts";
import { accountOf, type Facts } from "../rules/values/facts.ts";
import { alertId } from "../contracts/ids.ts";
import type { Accepted } from "./accepted.ts";
import type { OutBuffer } from "./out_buffer.ts";

const ID_LENGTH = 36;
const encoder = new TextEncoder();

/** Copies the original with its id in lower case, without the closing brace, at `at`; returns the end. */
function copyOriginal(accepted: Accepted, into: Uint8Array, at: number): number {
  const { bytes, open, close, idStart } = accepted;
  into.set(bytes.subarray(open, close), at);
  const id = at + idStart - open;
  for (let i = id; i < id + ID_LENGTH; i++) {
    const byte = into[i]!;
    if (byte >= 0x41 && byte <= 0x46) into[i] = byte | 0x20;
  }
  return at + close - open;
}

/** Builds the outputs of one step: what they share is printed once. */
export class OutputBuilder {
  readonly buffer: OutBuffer;
  readonly #time: string;
  readonly #rulesVersion: string;
  readonly #tracePrefix: Uint8Array;
  #day = NaN;
  #tails: { plain: Uint8Array; flagged: Uint8Array } | undefined;
  /** Values of the transaction written last: its key is a part of it. */
  #accountStart = 0;
  #accountEnd = 0;
  #chunk: Uint8Array;

  constructor(
    buffer: OutBuffer,
    options: { nowMs: number; rulesVersion: string; tracePrefix: string },
  ) {
    this.buffer = buffer;
    this.#chunk = buffer.bytes;
    this.#time = printTimestamp(options.nowMs * 1000);
    this.#rulesVersion = options.rulesVersion;
    this.#tracePrefix = encoder.encode(options.tracePrefix);
  }

  /** processing_timestamp, alert_timestamp and failed_at of this step. */
  get time(): string {
    return this.#time;
  }

  /** `<topic>/<partition>/<offset>`. */
  trace(offset: number): Uint8Array {
    const prefix = this.#tracePrefix;
    const start = this.buffer.reserve(prefix.length + 16);
    const bytes = this.buffer.bytes;
    bytes.set(prefix, start);
    let digits = 1;
    for (let rest = offset; rest >= 10; rest = Math.floor(rest / 10)) digits++;
    const end = start + prefix.length + digits;
    for (let at = end - 1, rest = offset; digits > 0; digits--, at--) {
      const next = Math.floor(rest / 10);
      bytes[at] = 0x30 + rest - next * 10;
      rest = next;
    }
    this.buffer.at = end;
    return bytes.subarray(start, end);
  }

  #tailsOf(timestampUs: number): { plain: Uint8Array; flagged: Uint8Array } {
    const day = dayOf(timestampUs);
    if (this.#tails === undefined || day !== this.#day) {
      const print = (flagged: boolean) =>
        encoder.encode(
          `,"processing_timestamp":"${this.#time}","partition_date":"${printDate(timestampUs)}",` +
            `"is_flagged":${flagged},"rules_version":"${this.#rulesVersion}"}`,
        );
      this.#day = day;
      this.#tails = { plain: print(false), flagged: print(true) };
    }
    return this.#tails;
  }

  /** Value of `transactions`: the original with the added fields before its closing brace. */
  transaction(accepted: Accepted, flagged: boolean): Uint8Array {
    const tails = this.#tailsOf(accepted.timestampUs);
    const tail = flagged ? tails.flagged : tails.plain;
    const { open, close, accountStart, accountEnd } = accepted;
    const start = this.buffer.reserve(close - open + tail.length);
    const bytes = this.buffer.bytes;
    const end = copyOriginal(accepted, bytes, start);
    bytes.set(tail, end);
    this.buffer.at = end + tail.length;
    this.#chunk = bytes;
    this.#accountStart = start + accountStart - open;
    this.#accountEnd = start + accountEnd - open;
    return bytes.subarray(start, this.buffer.at);
  }

  /** Key of the transaction written last, and of its alerts. */
  key(): Uint8Array {
    return this.#chunk.subarray(this.#accountStart, this.#accountEnd);
  }

  /** Value of `alerts`. Called right after the rule has fired. */
  alert(
    accepted: Accepted,
    facts: Facts,
    rule: ActiveRule,
    ids: { transactionId: string; idOf: (sequence: number) => string | undefined },
  ): Uint8Array {
    const { rule_name, severity } = rule.definition;
    const { transactionId } = ids;
    const { description, evidence } = rule.logic.explain(facts, {
      accountId: accountOf(facts),
      transactionIdOf: ids.idOf,
    });
    const head = `{"alert_id":"${alertId(rule_name, transactionId)}",` +
      `"transaction_id":"${transactionId}","rule_name":"${rule_name}","severity":"${severity}",` +
      `"alert_timestamp":"${this.#time}","description":${JSON.stringify(description)},` +
      `"rules_version":"${this.#rulesVersion}","evidence":${JSON.stringify(evidence)},` +
      `"transaction":`;
    const size = 3 * head.length + accepted.close - accepted.open + 2;
    const start = this.buffer.reserve(size);
    const bytes = this.buffer.bytes;
    const { written } = encoder.encodeInto(head, bytes.subarray(start));
    let end = copyOriginal(accepted, bytes, start + written);
    bytes[end++] = 0x7d; // of the transaction
    bytes[end++] = 0x7d; // of the alert
    this.buffer.at = end;
    return bytes.subarray(start, end);
  }
}
