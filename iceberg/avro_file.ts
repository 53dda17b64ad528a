/** Avro object container files (Avro specification 1.11, "Object Container Files"). */
import { createHash } from "node:crypto";
import { deflateRawSync, inflateRawSync, zstdDecompressSync } from "node:zlib";
import { AvroReader, AvroWriter } from "./avro_binary.ts";
import { type AvroRecord, parseAvroSchema } from "./avro_schema.ts";
import { compareBytes, decodeUtf8, encodeUtf8 } from "./bytes.ts";
import { IcebergError } from "./errors.ts";
import { parseJson, printJson } from "./json.ts";

const MAGIC = Uint8Array.of(0x4f, 0x62, 0x6a, 0x01);
const SYNC_LENGTH = 16;
/** Blocks of about this many uncompressed bytes. */
const BLOCK_BYTES = 128 * 1024;

/** How blocks are compressed. Iceberg's default, `gzip`, is Avro's `deflate`. */
export type AvroCompression = "deflate" | "null";

/** What an Avro file holds besides its records. */
export interface AvroHeader {
  /** Parsed when it is first asked for: who knows what to make of its text need not have it. */
  readonly schema: AvroRecord;
  /** Key-value metadata as text, `avro.schema` and `avro.codec` included. */
  metadata: Map<string, string>;
}

/** What {@linkcode writeAvroFile} needs. */
export interface WriteAvroOptions<T> {
  /** The schema as JSON. */
  schema: Record<string, unknown>;
  /** Further key-value metadata. */
  metadata: Record<string, string>;
  records: Iterable<T>;
  encode: (writer: AvroWriter, record: T) => void;
  /** @default {"deflate"} */
  compression?: AvroCompression;
}

/**
 * Writes a container file. The same input gives the same bytes: the sync marker is a hash of header
 * and first block, not random.
 */
export function writeAvroFile<T>(options: WriteAvroOptions<T>): Uint8Array {
  const { schema, metadata, records, encode, compression = "deflate" } = options;
  const blocks: { count: number; data: Uint8Array }[] = [];
  const block = new AvroWriter(BLOCK_BYTES);
  let count = 0;
  const flush = () => {
    if (count === 0) return;
    const data = compression === "deflate" ? deflateRawSync(block.view()) : block.view().slice();
    blocks.push({ count, data });
    block.clear();
    count = 0;
  };
  for (const record of records) {
    encode(block, record);
    count++;
    if (block.length >= BLOCK_BYTES) flush();
  }
  flush();

  const out = new AvroWriter(BLOCK_BYTES);
  out.writeFixed(MAGIC);
  writeMetadata(out, {
    "avro.schema": printJson(schema),
    "avro.codec": compression,
    ...metadata,
  });
  const hash = createHash("sha256").update(out.view());
  if (blocks[0] !== undefined) hash.update(blocks[0].data);
  const sync = new Uint8Array(hash.digest().subarray(0, SYNC_LENGTH));
  out.writeFixed(sync);
  for (const { count, data } of blocks) {
    out.writeInt(count);
    out.writeBytes(data);
    out.writeFixed(sync);
  }
  return out.view().slice();
}

function writeMetadata(out: AvroWriter, metadata: Record<string, string>): void {
  const entries = Object.entries(metadata);
  out.writeInt(entries.length);
  for (const [key, value] of entries) {
    out.writeString(key);
    out.writeBytes(encodeUtf8(value));
  }
  out.writeInt(0);
}

/**
 * Reads a container file: `decoderFor` gets the header and returns what reads one record. Throws
 * IcebergError for anything that is not a whole Avro file of records.
 */
export function readAvroFile<T>(
  bytes: Uint8Array,
  decoderFor: (header: AvroHeader) => (reader: AvroReader) => T,
): { header: AvroHeader; records: T[] } {
  const reader = new AvroReader(bytes);
  const { header, codec } = readHeader(reader);
  const sync = reader.readFixed(SYNC_LENGTH);
  const decode = decoderFor(header);
  const records: T[] = [];
  while (!reader.done) {
    const count = reader.readInt();
    const data = decompress(codec, reader.readView(reader.readInt()));
    const block = new AvroReader(data);
    for (let index = 0; index < count; index++) records.push(decode(block));
    if (!block.done) throw new IcebergError("Cannot read Avro file: a block has bytes left over");
    if (compareBytes(reader.readView(SYNC_LENGTH), sync) !== 0) {
      throw new IcebergError("Cannot read Avro file: a sync marker is missing");
    }
  }
  return { header, records };
}

function readHeader(reader: AvroReader): { header: AvroHeader; codec: string } {
  if (compareBytes(reader.readView(MAGIC.length), MAGIC) !== 0) {
    throw new IcebergError("Cannot read Avro file: it does not start as one");
  }
  const metadata = new Map<string, string>();
  for (let count = reader.readInt(); count !== 0; count = reader.readInt()) {
    // A negative count is followed by the size of the block in bytes.
    if (count < 0) reader.skipLong();
    for (let index = 0; index < Math.abs(count); index++) {
      const key = reader.readString();
      metadata.set(key, decodeUtf8(reader.readBytes()));
    }
  }
  const text = metadata.get("avro.schema");
  if (text === undefined) throw new IcebergError("Cannot read Avro file: it has no avro.schema");
  let schema: AvroRecord | undefined;
  const header: AvroHeader = {
    get schema() {
      return schema ??= recordSchema(text);
    },
    metadata,
  };
  return { header, codec: metadata.get("avro.codec") ?? "null" };
}

function recordSchema(text: string): AvroRecord {
  const schema = parseAvroSchema(parseJson(text));
  if (schema.type === "record") return schema;
  throw new IcebergError(`Cannot read Avro file: expected records, found ${schema.type}`);
}

function decompress(codec: string, data: Uint8Array): Uint8Array {
  switch (codec) {
    case "null":
      return data;
    case "deflate":
      return inflateRawSync(data);
    case "zstandard":
      return zstdDecompressSync(data);
    default:
      throw new IcebergError(
        `Cannot read Avro file: codec "${codec}" is none of null, deflate, zstandard`,
      );
  }
}
