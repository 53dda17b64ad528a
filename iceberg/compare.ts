/** The order of values that bounds, sorting and pruning share. */
import { compareBytes } from "./bytes.ts";
import { parsePrimitive } from "./schema.ts";
import type { PrimitiveType, Value } from "./types.ts";

/**
 * Compares two values of one type: negative, 0 or positive. Strings compare by code points (= by
 * UTF-8 bytes): JavaScript's own `<` compares UTF-16 units and puts U+1F600 before U+FF5E, which
 * would make bounds wrong. Floats: -0 < +0, NaN after everything (spec "Sorting"). UUIDs and bytes
 * as unsigned bytes.
 */
export function compareValues(type: PrimitiveType, a: Value, b: Value): number {
  switch (parsePrimitive(type).kind) {
    case "string":
      return compareCodePoints(a as string, b as string);
    case "float":
    case "double":
      return compareFloats(a as number, b as number);
    case "fixed":
    case "binary":
      return compareBytes(a as Uint8Array, b as Uint8Array);
    default:
      // Booleans, numbers, bigints; UUIDs in lower-case hex order as their bytes do.
      return a < b ? -1 : a > b ? 1 : 0;
  }
}

/** Compares strings by code points. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Surrogates (code points from U+10000) come after the rest of the basic plane, U+E000 to U+FFFF. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

function compareFloats(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return a !== 0 || Object.is(a, b) ? 0 : Object.is(a, -0) ? -1 : 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}
