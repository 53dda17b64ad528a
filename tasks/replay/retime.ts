/** Moves the event times of recorded lines, and nothing else of their bytes. Pure. */
import { parseTimestamp, printTimestamp } from "../../contracts/timestamps.ts";
import { scanObject } from "../../processor/json_scan.ts";
import { parseLine } from "./key.ts";

const encoder = new TextEncoder();
const OPEN_BRACE = 0x7b;

/** Event time of a line in µs; undefined where it cannot be read. */
export function timestampOf(bytes: Uint8Array): number | undefined {
  const timestamp = parseLine(bytes)?.timestamp;
  return typeof timestamp === "string" ? parseTimestamp(timestamp) : undefined;
}

/** The line with its timestamp `shiftUs` later, in UTC; a line without a readable one stays as it is. */
export function shiftLine(bytes: Uint8Array, shiftUs: number): Uint8Array {
  const us = timestampOf(bytes);
  if (us === undefined) return bytes;
  const { members } = scanObject(bytes, bytes.indexOf(OPEN_BRACE));
  // As JSON.parse does: of a key given twice the last counts.
  const member = members.findLast(({ key }) => key === "timestamp")!;
  const token = encoder.encode(`"${printTimestamp(us + shiftUs)}"`);
  const shifted = new Uint8Array(bytes.length - (member.end - member.start) + token.length);
  shifted.set(bytes.subarray(0, member.start));
  shifted.set(token, member.start);
  shifted.set(bytes.subarray(member.end), member.start + token.length);
  return shifted;
}
