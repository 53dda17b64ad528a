/** Truncated bounds for strings and bytes, so that long values do not bloat manifests. */
import type { PrimitiveType, Value } from "./types.ts";

/** Java's default for `write.metadata.metrics.default` = `truncate(16)`: 16 code points or bytes. */
export const BOUND_WIDTH_DEFAULT = 16;

/** The first `count` code points of a string (spec "Truncate Transform Details", note 3). */
export function firstCodePoints(text: string, count: number): string {
  if (text.length <= count) return text;
  let units = 0;
  for (let taken = 0; taken < count && units < text.length; taken++) {
    units += (text.codePointAt(units) as number) > 0xffff ? 2 : 1;
  }
  return text.slice(0, units);
}

/** A lower bound of at most `width` code points or bytes; other types unchanged. */
export function truncateLower(type: PrimitiveType, value: Value, width: number): Value {
  if (type === "string") return firstCodePoints(value as string, width);
  if (isBytes(type)) return (value as Uint8Array).slice(0, width);
  return value;
}

/**
 * An upper bound of at most `width` code points or bytes: cut, then the last unit that can grow is
 * increased, so that it is still ≥ every value with that prefix. Undefined if none can grow: then
 * there is no upper bound. Other types unchanged.
 */
export function truncateUpper(type: PrimitiveType, value: Value, width: number): Value | undefined {
  if (type === "string") return truncateUpperString(value as string, width);
  if (isBytes(type)) return truncateUpperBytes(value as Uint8Array, width);
  return value;
}

function isBytes(type: PrimitiveType): boolean {
  return type === "binary" || type.startsWith("fixed[");
}

function truncateUpperString(text: string, width: number): string | undefined {
  const cut = firstCodePoints(text, width);
  if (cut.length === text.length) return text;
  const points = [...cut];
  for (let index = points.length - 1; index >= 0; index--) {
    const next = nextCodePoint((points[index] as string).codePointAt(0) as number);
    if (next !== undefined) {
      return points.slice(0, index).join("") + String.fromCodePoint(next);
    }
  }
  return undefined;
}

/** The next code point that is a character: surrogates are skipped, nothing follows U+10FFFF. */
function nextCodePoint(point: number): number | undefined {
  if (point === 0x10ffff) return undefined;
  return point >= 0xd7ff && point < 0xdfff ? 0xe000 : point + 1;
}

function truncateUpperBytes(bytes: Uint8Array, width: number): Uint8Array | undefined {
  if (bytes.length <= width) return bytes;
  for (let index = width - 1; index >= 0; index--) {
    const byte = bytes[index] as number;
    if (byte < 0xff) {
      const bound = bytes.slice(0, index + 1);
      bound[index] = byte + 1;
      return bound;
    }
  }
  return undefined;
}
