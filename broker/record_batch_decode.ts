/**
 * Reads Kafka's record batches, format v2, into columns over one buffer, and hides what
 * read_committed must hide. The broker sends whole batches, those of aborted transactions included,
 * beside a list of {producer id, first offset} of the aborted ones: the filter is the client's work
 * (KIP-98). The list is not sorted, several producers may share a partition, and only a real control
 * record ends an aborted span; kafkajs's own filter is wrong on all three (docs/decisions/0003).
 */
import type { Arena } from "./arena.ts";
import { crc32c } from "./crc32c.ts";
import { decompress } from "./compression.ts";
import type { Isolation, RecordBatch } from "./port.ts";
import { ABORT_MARKER, BATCH_HEADER_BYTES } from "./record_batch_encode.ts";
import { ColumnMemory, Columns, Cursor } from "./record_columns.ts";
import { readInt64 } from "./wire.ts";

/** A transaction of the fetched range that was aborted. */
export interface AbortedTransaction {
  producerId: number;
  firstOffset: number;
}

/** How to decode. */
export interface DecodeOptions {
  /** Records below are part of their batch but were not asked for. */
  fetchOffset: number;
  isolation: Isolation;
  aborted: readonly AbortedTransaction[];
  /** Check each batch's CRC-32C: a damaged log becomes an error instead of odd records. @default {true} */
  checkCrc?: boolean;
  /** Where to put the columns: what was there before is overwritten. @default memory of their own */
  columns?: ColumnMemory;
  /** Once the batches, unpacked, have this many bytes, the rest is left for the next fetch. @default {Infinity} */
  unpackedBytesMax?: number;
}

/** What {@linkcode decodeRecordBatches} found. */
export interface Decoded {
  records: RecordBatch;
  /** One past the last offset of the last whole batch; `fetchOffset` when there is none. */
  nextOffset: number;
  /** How many bytes of records a byte of the log has given: 1 where nothing is compressed. */
  expansion: number;
}

/** One batch whose records are to be delivered. */
interface Section {
  /** Whether its records were compressed and now lie in the arena, not in what was fetched. */
  unpacked: boolean;
  start: number;
  end: number;
  count: number;
  baseOffset: number;
  baseTimestamp: number;
  /** The broker's time for all records of a LogAppendTime batch. */
  appendTime: number | undefined;
}

/** Follows the aborted list along the log: which producers' records are hidden just now. */
class AbortedFilter {
  readonly #pending: AbortedTransaction[];
  #next = 0;
  readonly #hidden = new Set<number>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#pending = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Passes over one transactional batch; true when its records are hidden. */
  hides(batch: { producerId: number; lastOffset: number; abortMarker: boolean }): boolean {
    while (
      this.#next < this.#pending.length &&
      this.#pending[this.#next]!.firstOffset <= batch.lastOffset
    ) {
      this.#hidden.add(this.#pending[this.#next++]!.producerId);
    }
    if (batch.abortMarker) this.#hidden.delete(batch.producerId);
    return this.#hidden.has(batch.producerId);
  }
}

/**
 * Decodes the record sets of one fetched partition. A batch cut off at the end is left for the
 * next fetch. Throws Error for damaged bytes, formats before v2 and codecs that are not supported.
 */
export function decodeRecordBatches(fetched: Uint8Array, options: DecodeOptions): Decoded {
  // Never a Node Buffer: its slice() is a view, so a reader that copies with it would keep foreign bytes.
  const bytes = new Uint8Array(fetched.buffer, fetched.byteOffset, fetched.byteLength);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const filter = new AbortedFilter(options.aborted);
  const sections: Section[] = [];
  const { fetchOffset, unpackedBytesMax = Infinity, columns = new ColumnMemory() } = options;
  columns.unpacked.length = 0;
  let nextOffset = fetchOffset;
  let position = 0;
  /** By how much unpacking has made them larger. */
  let gained = 0;
  while (position + 12 <= bytes.length && position + gained < unpackedBytesMax) {
    const length = view.getInt32(position + 8);
    const end = position + 12 + length;
    if (end > bytes.length) break;
    if (length < BATCH_HEADER_BYTES - 12 || view.getInt8(position + 16) !== 2) {
      throw new Error(
        `Cannot decode a record batch at offset "${readInt64(view, position)}": ` +
          `format ${view.getInt8(position + 16)} of ${length} bytes, expected format 2`,
      );
    }
    if (options.checkCrc ?? true) checkBatchCrc(bytes, view, position, end);
    const lastOffset = readInt64(view, position) + view.getInt32(position + 23);
    nextOffset = Math.max(nextOffset, lastOffset + 1);
    if (isVisible(view, position, { end, lastOffset, filter, isolation: options.isolation })) {
      const section = readSection(view, position, end, columns.unpacked);
      if (section.unpacked) gained += section.end - section.start - (end - position);
      if (section.count > 0 && lastOffset >= fetchOffset) sections.push(section);
    }
    position = end;
  }
  if (position === 0 && bytes.length > 0) {
    throw new Error(
      `Cannot decode a fetch at offset "${fetchOffset}": ${bytes.length} bytes hold no whole batch`,
    );
  }
  const records = readColumns(bytes, sections, { fetchOffset, memory: columns });
  const expansion = position === 0 ? 1 : Math.max(1, (position + gained) / position);
  return { records, nextOffset, expansion };
}

function checkBatchCrc(bytes: Uint8Array, view: DataView, position: number, end: number): void {
  const stored = view.getUint32(position + 17);
  const computed = crc32c(bytes, position + 21, end);
  if (stored !== computed) {
    throw new Error(
      `Cannot decode a record batch at offset "${readInt64(view, position)}": checksum ` +
        `${computed.toString(16)}, expected ${stored.toString(16)}`,
    );
  }
}

function isVisible(
  view: DataView,
  position: number,
  batch: { end: number; lastOffset: number; filter: AbortedFilter; isolation: Isolation },
): boolean {
  const attributes = view.getInt16(position + 21);
  const control = (attributes & 0x20) !== 0;
  if (batch.isolation === "uncommitted" || (attributes & 0x10) === 0) return !control;
  const hidden = batch.filter.hides({
    producerId: readInt64(view, position + 43),
    lastOffset: batch.lastOffset,
    abortMarker: control && markerType(view, position, batch.end) === ABORT_MARKER,
  });
  return !control && !hidden;
}

/** The type in the key of a control batch's only record; -1 when compaction emptied the batch. */
function markerType(view: DataView, position: number, end: number): number {
  if (view.getInt32(position + 57) < 1) return -1;
  let at = position + BATCH_HEADER_BYTES;
  at = skipVarint(view, at); // record length
  at += 1; // attributes
  at = skipVarint(view, at); // timestamp delta
  at = skipVarint(view, at); // offset delta
  at = skipVarint(view, at); // key length
  if (at + 4 > end) throw new Error("Cannot decode a control record: its key is cut off");
  return view.getInt16(at + 2);
}

function skipVarint(view: DataView, at: number): number {
  while (view.getUint8(at) > 0x7f) at++;
  return at + 1;
}

function readSection(view: DataView, position: number, end: number, arena: Arena): Section {
  const attributes = view.getInt16(position + 21);
  const codec = attributes & 0x07;
  let start = position + BATCH_HEADER_BYTES;
  if (codec !== 0) {
    const packed = new Uint8Array(view.buffer, view.byteOffset + start, end - start);
    start = arena.length;
    decompress(codec, packed, arena);
    end = arena.length;
  }
  return {
    unpacked: codec !== 0,
    start,
    end,
    count: view.getInt32(position + 57),
    baseOffset: readInt64(view, position),
    baseTimestamp: readInt64(view, position + 27),
    appendTime: (attributes & 0x08) !== 0 ? readInt64(view, position + 35) : undefined,
  };
}

/** Brings all sections into the arena where some are there. */
function joinSections(bytes: Uint8Array, sections: Section[], arena: Arena): Uint8Array {
  if (!sections.some(({ unpacked }) => unpacked)) return bytes;
  for (const section of sections) {
    if (section.unpacked) continue;
    section.start = arena.append(bytes.subarray(section.start, section.end));
    section.end = arena.length;
  }
  return arena.bytes;
}

function readColumns(
  fetched: Uint8Array,
  sections: Section[],
  { fetchOffset, memory }: { fetchOffset: number; memory: ColumnMemory },
): RecordBatch {
  const bytes = joinSections(fetched, sections, memory.unpacked);
  const room = sections.reduce((sum, section) => sum + section.count, 0);
  const columns = new Columns(bytes, room, memory);
  const cursor = new Cursor(bytes);
  for (const section of sections) {
    cursor.position = section.start;
    for (let i = 0; i < section.count; i++) {
      const length = cursor.varint();
      const end = cursor.position + length;
      if (length < 0 || end > section.end) {
        throw cutOff(section);
      }
      cursor.position += 1; // attributes
      const timeDelta = cursor.varlong();
      const offset = section.baseOffset + cursor.varint();
      if (offset >= fetchOffset) {
        columns.add(cursor, offset, section.appendTime ?? section.baseTimestamp + timeDelta);
        if (cursor.position > end) throw cutOff(section);
      }
      cursor.position = end;
    }
  }
  columns.trim();
  return columns;
}

function cutOff(section: Section): Error {
  return new Error(`Cannot decode a record of the batch at "${section.baseOffset}": cut off`);
}
