/** Values of `dead-letter`: what was wrong, and the original bytes. */
import type { DeadLetter } from "../contracts/dead_letter.ts";
import { deadLetterId } from "../contracts/ids.ts";
import { ORIGINAL_BYTES_MAX } from "../contracts/limits.ts";
import { SCHEMA_VERSION } from "../contracts/services.ts";
import type { Rejection } from "./accepted.ts";
import { printKafkaTime, type RawValue } from "./validate.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Where the last character that is whole within `bytes[0, length)` ends. */
function characterEnd(bytes: Uint8Array, length: number): number {
  let start = length;
  // A character is at most four bytes; continuation bytes are 10xxxxxx.
  for (let back = 1; back <= 4 && back <= length; back++) {
    const byte = bytes[length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const size = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    start = size > back ? length - back : length;
    break;
  }
  return start;
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

type Original = Pick<
  DeadLetter,
  "original" | "original_encoding" | "truncated" | "original_bytes"
>;

function originalOf(raw: RawValue, isUtf8: boolean): Original {
  if (raw.start < 0) {
    return { original: "", original_encoding: "utf8", truncated: false, original_bytes: 0 };
  }
  const bytes = raw.bytes.subarray(raw.start, raw.end);
  const truncated = bytes.length > ORIGINAL_BYTES_MAX;
  const cut = bytes.subarray(0, ORIGINAL_BYTES_MAX);
  const rest = { truncated, original_bytes: bytes.length };
  if (isUtf8) {
    try {
      const whole = truncated ? cut.subarray(0, characterEnd(cut, cut.length)) : cut;
      return { original: decoder.decode(whole), original_encoding: "utf8", ...rest };
    } catch {
      // Too large to have been decoded before, and no UTF-8 either.
    }
  }
  return { original: base64(cut), original_encoding: "base64", ...rest };
}

/** A dead letter as JSON. `source` names the raw record, `failedAt` is for people. */
export function printDeadLetter(
  raw: RawValue,
  rejection: Rejection,
  source: { topic: string; partition: number; offset: number; trace: string; failedAt: string },
): string {
  const { topic, partition, offset, trace, failedAt } = source;
  const deadLetter: DeadLetter = {
    dead_letter_id: deadLetterId(trace),
    failed_at: failedAt,
    error_type: rejection.errorType,
    errors: rejection.errors,
    source: {
      topic,
      partition,
      offset: String(offset),
      timestamp: printKafkaTime(raw.timestampMs),
    },
    ...originalOf(raw, rejection.errorType !== "not_utf8"),
    schema_version: SCHEMA_VERSION,
  };
  return JSON.stringify(deadLetter);
}
