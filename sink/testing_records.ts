/** Records for unit tests. Pure. */
import type { RecordBatch } from "../broker/port.ts";

/** Records over one buffer, as a reader gives them. */
export function recordsOf(
  rows: {
    value: string | Uint8Array | null;
    trace?: string;
    offset?: number;
    timestamp?: number;
  }[],
): RecordBatch {
  const encoder = new TextEncoder();
  const parts = rows.map(({ value }) => typeof value === "string" ? encoder.encode(value) : value);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + (part?.length ?? 0), 0));
  const valueStart = new Int32Array(rows.length).fill(-1);
  const valueEnd = new Int32Array(rows.length).fill(-1);
  let at = 0;
  for (const [index, part] of parts.entries()) {
    if (part === null) continue;
    bytes.set(part, at);
    valueStart[index] = at;
    valueEnd[index] = at += part.length;
  }
  const nullKeys = new Int32Array(rows.length).fill(-1);
  return {
    count: rows.length,
    bytes,
    offsets: Float64Array.from(rows, (row, index) => row.offset ?? index),
    timestamps: Float64Array.from(rows, (row) => row.timestamp ?? 0),
    keyStart: nullKeys,
    keyEnd: nullKeys,
    valueStart,
    valueEnd,
    header: (index, name) =>
      name === "trace" && rows[index]!.trace !== undefined
        ? encoder.encode(rows[index]!.trace)
        : undefined,
  };
}
