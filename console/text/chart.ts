/** Sparklines: two samples and four levels per cell in braille, one sample and seven levels in ASCII. Pure. */

const LEFT = [0x00, 0x40, 0x44, 0x46, 0x47] as const;
const RIGHT = [0x00, 0x80, 0xa0, 0xb0, 0xb8] as const;
const ASCII = [" ", ".", ":", "-", "=", "+", "*", "#"] as const;

/** Options of {@linkcode sparkline}. */
export interface SparklineOptions {
  /** Width in cells. */
  width: number;
  /** For terminals and fonts without braille. @default {false} */
  ascii?: boolean;
  /** Value at full height; the largest one shown by default. */
  max?: number;
}

/** The means of `values` in `slots` equal parts, newest last; undefined where there is no value yet. */
function resample(values: readonly number[], slots: number, perSlot: number) {
  return Array.from({ length: slots }, (_, slot) => {
    const end = values.length - (slots - 1 - slot) * perSlot;
    const part = values.slice(Math.max(0, end - perSlot), Math.max(0, end));
    return part.length === 0 ? undefined : part.reduce((a, b) => a + b, 0) / part.length;
  });
}

/**
 * Draws `values`, oldest first, so that `span` of them fill the width; the newest is at the right. A
 * value above zero always shows as at least one dot: little is not the same as nothing.
 */
export function sparkline(
  values: readonly number[],
  span: number,
  { width, ascii = false, max }: SparklineOptions,
): string {
  const slots = ascii ? width : width * 2;
  const samples = resample(values, slots, Math.max(1, Math.floor(span / slots)));
  const top = max ?? Math.max(0, ...samples.map((value) => value ?? 0));
  const levels = ascii ? ASCII.length - 1 : 4;
  const level = (value: number | undefined): number => {
    if (value === undefined || value <= 0 || top <= 0) return 0;
    return Math.min(levels, Math.max(1, Math.round((value / top) * levels)));
  };
  if (ascii) return samples.map((value) => ASCII[level(value)]!).join("");
  let text = "";
  for (let cell = 0; cell < width; cell++) {
    const dots = LEFT[level(samples[cell * 2])]! | RIGHT[level(samples[cell * 2 + 1])]!;
    text += String.fromCharCode(0x2800 + dots);
  }
  return text;
}
