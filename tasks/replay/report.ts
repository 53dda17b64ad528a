/** What a replay prints at its end. Pure. */
import type { ReplayResult } from "./run.ts";

function number(n: number): string {
  return n.toLocaleString("en-US");
}

function rate(n: number, seconds: number): string {
  return seconds > 0 ? ` (${number(Math.round(n / seconds))}/s)` : "";
}

/** Lines for people. */
export function printReport(result: ReplayResult): string[] {
  const { sent, send_seconds, keyless, blank, crlf, too_long, accounted } = result;
  const lines = [
    `sent           ${number(sent)} lines in ${send_seconds.toFixed(1)} s${
      rate(sent, send_seconds)
    }`,
  ];
  if (keyless > 0) lines.push(`without key    ${number(keyless)} (account_id cannot be read)`);
  if (blank > 0) lines.push(`blank          ${number(blank)} (skipped)`);
  if (crlf > 0) lines.push(`with CRLF      ${number(crlf)} (CR removed)`);
  if (too_long > 0) {
    lines.push(
      `NOT SENT       ${number(too_long)} too long for a record: ${result.too_long_at.join(", ")}`,
    );
  }
  if (accounted === undefined) return lines;
  const { transactions, dead_lettered, alerts, stored, timed_out, twice, missing } = accounted;
  const word = stored ? "stored" : "processed";
  lines.push(
    `${word.padEnd(14)} ${number(transactions)}`,
    `dead-lettered  ${number(dead_lettered)}`,
    `alerts         ${number(alerts)}`,
    `waited         ${accounted.wait_seconds.toFixed(1)} s`,
  );
  if (timed_out) {
    const left = sent - transactions - dead_lettered;
    lines.push(
      left > 0
        ? `TIMED OUT      ${number(left)} of ${number(sent)} lines have not come out, such as ${
          missing.slice(0, 5).join(", ")
        }`
        : "TIMED OUT      all lines have come out, but the tables have not committed them",
    );
  }
  if (twice.length > 0) lines.push(`TWICE          ${twice.slice(0, 5).join(", ")}`);
  return lines;
}
