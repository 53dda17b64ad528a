/** Single values as bytes and as JSON (spec Appendix D "Single-value serialization"). */
import { decodeUtf8, encodeUtf8 } from "./bytes.ts";
import {
  dateToText,
  decimalToText,
  textToDate,
  textToDecimal,
  textToMicros,
  timestampToText,
  timeToText,
} from "./text_values.ts";
import { IcebergError } from "./errors.ts";
import { invalid } from "./read.ts";
import { parsePrimitive } from "./schema.ts";
import type { PrimitiveType, Value } from "./types.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const HEX = /^([0-9a-f]{2})*$/i;

// ---- Binary ----------------------------------------------------------------------------------------

/** Encodes a value as in a manifest's bounds. Throws IcebergError if the value does not fit the type. */
export function encodeValue(type: PrimitiveType, value: Value): Uint8Array {
  const shape = parsePrimitive(type);
  switch (shape.kind) {
    case "boolean":
      return Uint8Array.of(expect(type, value, "boolean") ? 1 : 0);
    case "int":
    case "date":
      return littleEndian(4, (view) => view.setInt32(0, expectInt32(type, value), true));
    case "long":
    case "time":
    case "timestamp":
    case "timestamptz":
      return littleEndian(8, (view) => view.setBigInt64(0, expectInt64(type, value), true));
    case "float":
      return littleEndian(4, (view) => view.setFloat32(0, expect(type, value, "number"), true));
    case "double":
      return littleEndian(8, (view) => view.setFloat64(0, expect(type, value, "number"), true));
    case "decimal":
      return bigintToBytes(expect(type, value, "bigint"));
    case "string":
      return encodeUtf8(expect(type, value, "string"));
    case "uuid":
      return uuidToBytes(expect(type, value, "string"));
    case "binary":
      return expectBytes(type, value);
    case "fixed": {
      const bytes = expectBytes(type, value);
      // Shorter is fine: truncated bounds are.
      if (bytes.length <= shape.length) return bytes;
      throw new IcebergError(`Cannot encode ${bytes.length} bytes as ${type}`);
    }
  }
}

/**
 * Decodes a value from a manifest's bounds. Bounds written before a promotion are shorter: 4 bytes
 * for a long are an int, 4 bytes for a double a float (spec "Schema Evolution").
 */
export function decodeValue(type: PrimitiveType, bytes: Uint8Array): Value {
  const shape = parsePrimitive(type);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (shape.kind) {
    case "boolean":
      expectLength(type, bytes, 1);
      return bytes[0] !== 0;
    case "int":
    case "date":
      expectLength(type, bytes, 4);
      return view.getInt32(0, true);
    case "long":
    case "time":
    case "timestamp":
    case "timestamptz":
      if (shape.kind === "long" && bytes.length === 4) return BigInt(view.getInt32(0, true));
      expectLength(type, bytes, 8);
      return view.getBigInt64(0, true);
    case "float":
      expectLength(type, bytes, 4);
      return view.getFloat32(0, true);
    case "double":
      if (bytes.length === 4) return view.getFloat32(0, true);
      expectLength(type, bytes, 8);
      return view.getFloat64(0, true);
    case "decimal":
      return bytesToBigint(bytes);
    case "string":
      return decodeUtf8(bytes);
    case "uuid":
      expectLength(type, bytes, 16);
      return bytesToUuid(bytes);
    case "fixed":
    case "binary":
      return bytes;
  }
}

function littleEndian(size: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size);
  write(new DataView(bytes.buffer));
  return bytes;
}

/** Two's complement, big-endian, the fewest bytes that hold the value (Java's BigInteger.toByteArray). */
export function bigintToBytes(value: bigint): Uint8Array {
  // A negative value needs as many bits as its complement: -128 fits one byte, 128 does not.
  const magnitude = value < 0n ? -value - 1n : value;
  const length = magnitude === 0n ? 1 : (magnitude.toString(2).length >> 3) + 1;
  const bytes = new Uint8Array(length);
  let rest = value;
  for (let index = length - 1; index >= 0; index--) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** The inverse of {@linkcode bigintToBytes}; accepts sign-extended input. */
export function bytesToBigint(bytes: Uint8Array): bigint {
  if (bytes.length === 0) throw new IcebergError("Cannot decode decimal: no bytes");
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}

/** 16 bytes, big-endian, of a UUID in text form. */
export function uuidToBytes(uuid: string): Uint8Array {
  const text = uuid.toLowerCase();
  if (!UUID.test(text)) throw new IcebergError(`Cannot encode "${uuid}": not a UUID`);
  return Uint8Array.fromHex(text.replaceAll("-", ""));
}

/** The inverse of {@linkcode uuidToBytes}. */
export function bytesToUuid(bytes: Uint8Array): string {
  const hex = bytes.toHex();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)]
    .join("-");
}

interface KindOf {
  boolean: boolean;
  number: number;
  bigint: bigint;
  string: string;
}

function expect<K extends keyof KindOf>(type: PrimitiveType, value: Value, kind: K): KindOf[K] {
  const actual: string = typeof value;
  if (actual === kind) return value as KindOf[K];
  throw new IcebergError(`Cannot encode "${value}" as ${type}: expected a ${kind}`);
}

function expectInt32(type: PrimitiveType, value: Value): number {
  const number = expect(type, value, "number");
  if ((number | 0) === number) return number;
  throw new IcebergError(`Cannot encode "${number}" as ${type}: not a 32-bit integer`);
}

function expectInt64(type: PrimitiveType, value: Value): bigint {
  const long = expect(type, value, "bigint");
  if (BigInt.asIntN(64, long) === long) return long;
  throw new IcebergError(`Cannot encode "${long}" as ${type}: not a 64-bit integer`);
}

function expectBytes(type: PrimitiveType, value: Value): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new IcebergError(`Cannot encode "${value}" as ${type}: expected a Uint8Array`);
}

function expectLength(type: PrimitiveType, bytes: Uint8Array, length: number): void {
  if (bytes.length === length) return;
  throw new IcebergError(`Cannot decode ${type} from ${bytes.length} bytes: expected ${length}`);
}

// ---- JSON ------------------------------------------------------------------------------------------

/** A value in its JSON form: dates and times as ISO text, decimals as text, bytes as hex, long as bigint. */
export function valueToJson(type: PrimitiveType, value: Value): unknown {
  const shape = parsePrimitive(type);
  switch (shape.kind) {
    case "date":
      return dateToText(expectInt32(type, value));
    case "time":
      return timeToText(expectInt64(type, value));
    case "timestamp":
      return timestampToText(expectInt64(type, value));
    case "timestamptz":
      return `${timestampToText(expectInt64(type, value))}+00:00`;
    case "decimal":
      return decimalToText(expect(type, value, "bigint"), shape.scale);
    case "fixed":
    case "binary":
      return expectBytes(type, value).toHex();
    default:
      return value;
  }
}

/**
 * Reads a value from its JSON form; null stays null. A timestamptz may carry any offset when read.
 * Throws IcebergError naming `at`.
 */
export function valueFromJson(type: PrimitiveType, json: unknown, at = "value"): Value | null {
  if (json === null) return null;
  const shape = parsePrimitive(type);
  switch (shape.kind) {
    case "boolean":
      if (typeof json === "boolean") return json;
      throw invalid(at, "true or false", json);
    case "int":
      if (typeof json === "number" && (json | 0) === json) return json;
      throw invalid(at, "a 32-bit integer", json);
    case "long":
      if (typeof json === "bigint") return json;
      if (typeof json === "number" && Number.isSafeInteger(json)) return BigInt(json);
      throw invalid(at, "a 64-bit integer", json);
    case "float":
    case "double":
      if (typeof json === "number") return json;
      throw invalid(at, "a number", json);
  }
  if (typeof json !== "string") throw invalid(at, `text for ${type}`, json);
  const value = valueFromText(type, json);
  if (value === undefined) throw invalid(at, `text for ${type}`, json);
  return value;
}

function valueFromText(type: PrimitiveType, text: string): Value | undefined {
  const shape = parsePrimitive(type);
  switch (shape.kind) {
    case "date":
      return textToDate(text);
    case "time":
    case "timestamp":
    case "timestamptz":
      return textToMicros(shape.kind, text);
    case "decimal":
      return textToDecimal(text, shape);
    case "uuid":
      return UUID.test(text.toLowerCase()) ? text.toLowerCase() : undefined;
    case "fixed":
      return HEX.test(text) && text.length === shape.length * 2
        ? Uint8Array.fromHex(text)
        : undefined;
    case "binary":
      return HEX.test(text) ? Uint8Array.fromHex(text) : undefined;
    default:
      return text;
  }
}
