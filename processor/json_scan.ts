/** Where the members of a JSON object lie in its bytes: what JSON.parse does not tell. */

const QUOTE = 0x22, BACKSLASH = 0x5c, COMMA = 0x2c, COLON = 0x3a;
const OPEN_BRACE = 0x7b, CLOSE_BRACE = 0x7d, OPEN_BRACKET = 0x5b, CLOSE_BRACKET = 0x5d;

/** Keys that turn into the prototype of an object in careless readers. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set([
  "__proto__",
  "constructor",
  "prototype",
]);

/** One member of the top-level object. */
export interface Member {
  /** With escapes resolved. */
  key: string;
  /** First byte of the value. */
  start: number;
  /** After its last byte. */
  end: number;
}

/** What {@linkcode scanObject} found. */
export interface ScannedObject {
  members: Member[];
  /** The object's opening brace. */
  open: number;
  /** Its closing brace. */
  close: number;
  /** Deepest nesting; the object itself is 1. */
  depth: number;
  /** Keys among {@linkcode FORBIDDEN_KEYS}, at any depth. */
  forbidden: Set<string>;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes a JSON string token, quotes included. */
export function decodeString(bytes: Uint8Array, start: number, end: number): string {
  const body = bytes.subarray(start + 1, end - 1);
  return body.includes(BACKSLASH)
    ? JSON.parse(decoder.decode(bytes.subarray(start, end)))
    : decoder.decode(body);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Index after the string token that begins at `at`. */
function skipString(bytes: Uint8Array, at: number): number {
  for (at++; bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++;
  return at + 1;
}

function skipSpace(bytes: Uint8Array, at: number): number {
  while (isSpace(bytes[at]!)) at++;
  return at;
}

/**
 * Scans `bytes[start, end)`, which must hold one JSON object that JSON.parse has accepted: nothing is
 * checked again here. Linear, without recursion, so that no nesting can exhaust the stack.
 */
export function scanObject(bytes: Uint8Array, start: number): ScannedObject {
  const open = skipSpace(bytes, start);
  const found: ScannedObject = {
    members: [],
    open,
    close: open,
    depth: 1,
    forbidden: new Set(),
  };
  let level = 1;
  let member: Member | undefined;
  let tokenEnd = open + 1; // end of the last token that was not space
  for (let at = open + 1;; at++) {
    const byte = bytes[at]!;
    if (isSpace(byte)) continue;
    if (byte === QUOTE) {
      const end = skipString(bytes, at);
      const next = skipSpace(bytes, end);
      if (bytes[next] === COLON) {
        const key = decodeString(bytes, at, end);
        if (FORBIDDEN_KEYS.has(key)) found.forbidden.add(key);
        if (level === 1) {
          member = { key, start: skipSpace(bytes, next + 1), end: 0 };
          found.members.push(member);
        }
        at = next;
      } else {
        at = end - 1;
      }
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++level > found.depth) found.depth = level;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (--level === 0) {
        if (member !== undefined) member.end = tokenEnd;
        found.close = at;
        return found;
      }
    } else if (byte === COMMA && level === 1) {
      member!.end = tokenEnd;
    }
    tokenEnd = at + 1;
  }
}
