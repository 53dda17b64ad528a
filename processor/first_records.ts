/** The first records of a fetch. Pure. */
import type { Fetched, RecordBatch } from "../broker/port.ts";

/**
 * The same fetch, ending after `count` records at most: the next one begins at the record that was cut off. What
 * lies between the two (control batches, holes of compaction) is no record.
 */
export function firstRecords(fetched: Fetched, count: number): Fetched {
  const { records } = fetched;
  if (records.count <= count) return fetched;
  return { ...fetched, nextOffset: records.offsets[count]!, records: headOf(records, count) };
}

function headOf(records: RecordBatch, count: number): RecordBatch {
  return {
    count,
    bytes: records.bytes,
    offsets: records.offsets.subarray(0, count),
    timestamps: records.timestamps.subarray(0, count),
    keyStart: records.keyStart.subarray(0, count),
    keyEnd: records.keyEnd.subarray(0, count),
    valueStart: records.valueStart.subarray(0, count),
    valueEnd: records.valueEnd.subarray(0, count),
    header: (index, name) => index < count ? records.header(index, name) : undefined,
    findHeader: (index, name, span) => index < count && records.findHeader(index, name, span),
  };
}
