/** Output values of accepted transactions, built from the original bytes rather than serialised anew. */
import { dayOf, printDate, printTimestamp } from "../contracts/timestamps.ts";
import type { RecordFrames } from "../broker/record_frames.ts";
import type { ActiveRule } from "../rules/engine.ts";
import type { Explanation } from "../rules/rule_type.ts";
import { AlertIds, UUID_LENGTH, writeUuid } from "../contracts/ids.ts";
import type { Accepted } from "./accepted.ts";

/** Both ids of an alert, to be filled in, and where they lie in its value. */
const NO_ID = " ".repeat(UUID_LENGTH);
const ALERT_ID_AT = `{"alert_id":"`.length;
const TRANSACTION_ID_AT = `{"alert_id":"${NO_ID}","transaction_id":"`.length;
/** Of 2^53. */
const OFFSET_DIGITS_MAX = 16;
const encoder = new TextEncoder();

/** Copies the original with its id in lower case, without the closing brace, at `at`; returns the end. */
function copyOriginal(accepted: Accepted, into: Uint8Array, at: number): number {
  const { bytes, open, close, idStart } = accepted;
  into.set(bytes.subarray(open, close), at);
  const id = at + idStart - open;
  if (accepted.idIsLower) return at + close - open;
  for (let i = id; i < id + UUID_LENGTH; i++) {
    const byte = into[i]!;
    if (byte >= 0x41 && byte <= 0x46) into[i] = byte | 0x20;
  }
  return at + close - open;
}

/** What all alerts of a rule in a step begin with. */
interface AlertHead {
  bytes: Uint8Array;
  ids: AlertIds;
}

/** Builds the outputs of one step: what they share is printed once. */
export class OutputBuilder {
  readonly #time: string;
  readonly #rulesVersion: string;
  #day = NaN;
  readonly #heads = new Map<ActiveRule, AlertHead>();
  #tails: { plain: Uint8Array; flagged: Uint8Array } | undefined;
  /** The trace of the record at hand. */
  readonly #trace: Uint8Array;
  readonly #tracePrefixLength: number;
  #traceLength = 0;
  #offset = NaN;
  /** A text before it is framed. */
  #scratch = new Uint8Array(4096);

  constructor(options: { nowMs: number; rulesVersion: string; tracePrefix: string }) {
    this.#time = printTimestamp(options.nowMs * 1000);
    this.#rulesVersion = options.rulesVersion;
    const prefix = encoder.encode(options.tracePrefix);
    this.#trace = new Uint8Array(prefix.length + OFFSET_DIGITS_MAX);
    this.#trace.set(prefix);
    this.#tracePrefixLength = prefix.length;
  }

  /** processing_timestamp, alert_timestamp and failed_at of this step. */
  get time(): string {
    return this.#time;
  }

  /** The raw offset that outputs come from until the next call: `<topic>/<partition>/<offset>` is their trace. */
  setOffset(offset: number): void {
    const last = this.#traceLength - 1;
    const follows = offset === this.#offset + 1 && this.#trace[last]! < 0x39;
    this.#offset = offset;
    if (follows) {
      this.#trace[last]!++;
      return;
    }
    let digits = 1;
    for (let rest = offset; rest >= 10; rest = Math.floor(rest / 10)) digits++;
    const end = this.#tracePrefixLength + digits;
    for (let at = end - 1, rest = offset; digits > 0; digits--, at--) {
      const next = Math.floor(rest / 10);
      this.#trace[at] = 0x30 + rest - next * 10;
      rest = next;
    }
    this.#traceLength = end;
  }

  #writeTrace(frames: RecordFrames): void {
    const { bytes, ownAt } = frames;
    for (let i = 0; i < this.#traceLength; i++) bytes[ownAt + i] = this.#trace[i]!;
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

  /** Adds to `transactions`: the original with the added fields before its closing brace. */
  transaction(frames: RecordFrames, accepted: Accepted, flagged: boolean): void {
    const tails = this.#tailsOf(accepted.timestampUs);
    const tail = flagged ? tails.flagged : tails.plain;
    const { bytes, open, close, accountStart, accountEnd } = accepted;
    const length = close - open + tail.length;
    const at = frames.open(bytes, accountStart, accountEnd, length, this.#traceLength);
    frames.bytes.set(tail, copyOriginal(accepted, frames.bytes, at));
    this.#writeTrace(frames);
  }

  /** What alerts of this rule begin with, both ids left blank. */
  #headOf(rule: ActiveRule): AlertHead {
    let head = this.#heads.get(rule);
    if (head === undefined) {
      const { rule_name, severity } = rule.definition;
      const bytes = encoder.encode(
        `{"alert_id":"${NO_ID}","transaction_id":"${NO_ID}",` +
          `"rule_name":"${rule_name}","severity":"${severity}",` +
          `"alert_timestamp":"${this.#time}","description":`,
      );
      head = { bytes, ids: new AlertIds(rule_name) };
      this.#heads.set(rule, head);
    }
    return head;
  }

  /** Adds to `alerts`. Called right after the rule has fired. */
  alert(
    frames: RecordFrames,
    accepted: Accepted,
    rule: ActiveRule,
    { description, evidence }: Explanation,
  ): void {
    const head = this.#headOf(rule);
    const { id0, id1, id2, id3 } = accepted;
    writeUuid(head.bytes, TRANSACTION_ID_AT, id0, id1, id2, id3);
    head.ids.write(head.bytes, ALERT_ID_AT, TRANSACTION_ID_AT);
    const written = this.#encode(
      `${JSON.stringify(description)},"rules_version":"${this.#rulesVersion}",` +
        `"evidence":${JSON.stringify(evidence)},"transaction":`,
    );
    const { bytes, open, close, accountStart, accountEnd } = accepted;
    const length = head.bytes.length + written + close - open + 2;
    let at = frames.open(bytes, accountStart, accountEnd, length, this.#traceLength);
    frames.bytes.set(head.bytes, at);
    at += head.bytes.length;
    frames.bytes.set(this.#scratch.subarray(0, written), at);
    at = copyOriginal(accepted, frames.bytes, at + written);
    frames.bytes[at] = 0x7d; // of the transaction
    frames.bytes[at + 1] = 0x7d; // of the alert
    this.#writeTrace(frames);
  }

  /** Adds a text under the raw record's own key (`keyStart` -1: none). */
  text(
    frames: RecordFrames,
    text: string,
    key: { bytes: Uint8Array; keyStart: number; keyEnd: number },
  ): void {
    const written = this.#encode(text);
    const at = frames.open(key.bytes, key.keyStart, key.keyEnd, written, this.#traceLength);
    frames.bytes.set(this.#scratch.subarray(0, written), at);
    this.#writeTrace(frames);
  }

  /** Writes a text to the scratch; returns its length in bytes. */
  #encode(text: string): number {
    if (3 * text.length > this.#scratch.length) this.#scratch = new Uint8Array(6 * text.length);
    return encoder.encodeInto(text, this.#scratch).written;
  }
}
