/** Plain JSON tokens for the fast path: what needs no unescaping. */

const QUOTE = 0x22, BACKSLASH = 0x5c;

/** Whether a byte is an ASCII digit; undefined, past the end, is none. */
export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** Length of the well-formed UTF-8 sequence at `at` (Unicode 17, table 3-7) that is no ASCII; 0 for none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  const second = bytes[at + 1]!;
  const follows = (index: number) => (bytes[at + index]! & 0xc0) === 0x80;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const low = lead === 0xe0 ? 0xa0 : 0x80; // no overlong forms
    const high = lead === 0xed ? 0x9f : 0xbf; // no surrogates
    return second >= low && second <= high && follows(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const low = lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xf4 ? 0x8f : 0xbf; // nothing above U+10FFFF
    return second >= low && second <= high && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

/**
 * Index after the string token whose content begins at `at`, or -1 in doubt: an escape, a control
 * character, bytes that are no UTF-8; with `notBlank` also where no visible ASCII character is seen.
 */
export function skipPlainString(
  bytes: Uint8Array,
  at: number,
  end: number,
  notBlank: boolean,
): number {
  let visible = !notBlank;
  while (at < end) {
    const byte = bytes[at]!;
    if (byte < 0x80) {
      if (byte === QUOTE) return visible ? at + 1 : -1;
      if (byte < 0x20 || byte === BACKSLASH) return -1;
      if (byte > 0x20 && byte < 0x7f) visible = true;
      at++;
    } else {
      const length = sequenceLength(bytes, at);
      if (length === 0) return -1;
      at += length;
    }
  }
  return -1;
}

/** Index after the JSON number at `at` (RFC 8259 section 6), or -1. */
export function skipNumber(bytes: Uint8Array, at: number): number {
  if (bytes[at] === 0x2d) at++;
  const start = at;
  while (isDigit(bytes[at])) at++;
  if (at === start || (at - start > 1 && bytes[start] === 0x30)) return -1;
  if (bytes[at] === 0x2e) {
    const fraction = ++at;
    while (isDigit(bytes[at])) at++;
    if (at === fraction) return -1;
  }
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    at++;
    if (bytes[at] === 0x2b || bytes[at] === 0x2d) at++;
    const exponent = at;
    while (isDigit(bytes[at])) at++;
    if (at === exponent) return -1;
  }
  return at;
}
