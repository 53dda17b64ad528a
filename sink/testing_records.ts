/** Records for unit tests. Pure. */
import type { RecordBatch, Span } from "../broker/port.ts";

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
  const traces = rows.map(({ trace }) => encoder.encode(trace ?? ""));
  const size = [...parts, ...traces].reduce((sum, part) => sum + (part?.length ?? 0), 0);
  const bytes = new Uint8Array(size);
  const valueStart = new Int32Array(rows.length).fill(-1);
  const valueEnd = new Int32Array(rows.length).fill(-1);
  let at = 0;
  for (const [index, part] of parts.entries()) {
    if (part === null) continue;
    bytes.set(part, at);
    valueStart[index] = at;
    valueEnd[index] = at += part.length;
  }
  const traceStart = traces.map((trace) => {
    bytes.set(trace, at);
    return (at += trace.length) - trace.length;
  });
  function findHeader(index: number, name: string, span: Span): boolean {
    if (name !== "trace" || rows[index]!.trace === undefined) return false;
    span.start = traceStart[index]!;
    span.end = span.start + traces[index]!.length;
    return true;
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
    header(index, name) {
      const span = { start: 0, end: 0 };
      return findHeader(index, name, span) ? bytes.slice(span.start, span.end) : undefined;
    },
    findHeader,
  };
}
