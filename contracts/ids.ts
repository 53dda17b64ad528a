/** Deterministic ids (RFC 9562 section 5.5) and the trace that names a raw record. */
import { hashPadded, pad, sha1 } from "./sha1.ts";

/** Namespace of every id that the pipeline derives (design section 8). */
export const ID_NAMESPACE = "6f1c1f0e-6a3c-5c0e-9f5b-2b7a5d0c4e11";

const namespaceBytes = Uint8Array.from(
  ID_NAMESPACE.replaceAll("-", "").match(/../g)!,
  (pair) => parseInt(pair, 16),
);

/** Characters of a printed UUID. */
export const UUID_LENGTH = 36;

/** Codes of the two hex digits of each byte, one after the other. */
const HEX_CODES = new TextEncoder().encode(
  Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0")).join(""),
);

/** Writes the hex digits of two bytes of `word`. */
function writePairs(bytes: Uint8Array, at: number, word: number, shift: number): void {
  const high = 2 * ((word >>> (shift + 8)) & 0xff), low = 2 * ((word >>> shift) & 0xff);
  bytes[at] = HEX_CODES[high]!;
  bytes[at + 1] = HEX_CODES[high + 1]!;
  bytes[at + 2] = HEX_CODES[low]!;
  bytes[at + 3] = HEX_CODES[low + 1]!;
}

/** Prints a UUID, given as four big-endian 32-bit words, in lower case to `bytes` at `at`: {@linkcode UUID_LENGTH} characters. */
export function writeUuid(
  bytes: Uint8Array,
  at: number,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): void {
  writePairs(bytes, at, word0, 16);
  writePairs(bytes, at + 4, word0, 0);
  bytes[at + 8] =
    bytes[at + 13] =
    bytes[at + 18] =
    bytes[at + 23] =
      0x2d;
  writePairs(bytes, at + 9, word1, 16);
  writePairs(bytes, at + 14, word1, 0);
  writePairs(bytes, at + 19, word2, 16);
  writePairs(bytes, at + 24, word2, 0);
  writePairs(bytes, at + 28, word3, 16);
  writePairs(bytes, at + 32, word3, 0);
}

const printed = new Uint8Array(UUID_LENGTH);

/** Prints a UUID, given as four big-endian 32-bit words, in lower case. */
export function printUuid(word0: number, word1: number, word2: number, word3: number): string {
  writeUuid(printed, 0, word0, word1, word2, word3);
  return String.fromCharCode(...printed);
}

const digest = new Int32Array(5);

/** Words 1 and 2 of the digest as those of a UUIDv5 (RFC 9562 section 5.5): version 5, variant 10. */
const versioned = () => (digest[1]! & 0xffff0fff) | 0x5000;
const varied = () => (digest[2]! & 0x3fffffff) | 0x80000000;

/** UUIDv5 of `name` under `namespace` (16 bytes; the pipeline's own by default), in lower case. */
export function uuidV5(name: string, namespace: Uint8Array = namespaceBytes): string {
  sha1(namespace, name, digest);
  return printUuid(digest[0]!, versioned(), varied(), digest[3]!);
}

/** Id of the alert that `ruleName` raises on a transaction: the same on every replay. */
export function alertId(ruleName: string, transactionId: string): string {
  return uuidV5(`${ruleName}:${transactionId}`);
}

/** {@linkcode alertId} of many transactions under one rule, in bytes: what the names share is laid out once. */
export class AlertIds {
  /** The padded name; the transaction's id, its end, is filled in for each. */
  readonly #name: Uint8Array;
  readonly #idAt: number;
  readonly #end: number;

  constructor(ruleName: string) {
    const shared = new TextEncoder().encode(`${ruleName}:`);
    this.#idAt = namespaceBytes.length + shared.length;
    const length = this.#idAt + UUID_LENGTH;
    this.#name = new Uint8Array(length + 72);
    this.#name.set(namespaceBytes);
    this.#name.set(shared, namespaceBytes.length);
    this.#end = pad(this.#name, length);
  }

  /** Writes the alert's id to `bytes` at `at`; the transaction's id, as printed, lies at `idAt` in it. */
  write(bytes: Uint8Array, at: number, idAt: number): void {
    const name = this.#name;
    for (let i = 0; i < UUID_LENGTH; i++) name[this.#idAt + i] = bytes[idAt + i]!;
    hashPadded(name, this.#end, digest);
    writeUuid(bytes, at, digest[0]!, versioned(), varied(), digest[3]!);
  }
}

/** Id of the dead letter of a raw record. */
export function deadLetterId(trace: string): string {
  return uuidV5(trace);
}

/** `<topic>/<partition>/<offset>`: names a raw record, and with it everything derived from it. */
export function formatTrace(topic: string, partition: number, offset: number): string {
  return `${topic}/${partition}/${offset}`;
}

/** The parts of a trace; undefined where the text is not one. */
export function parseTrace(
  text: string,
): { topic: string; partition: number; offset: number } | undefined {
  const match = /^([A-Za-z0-9._-]+)\/(\d+)\/(\d+)$/.exec(text);
  if (match === null) return undefined;
  return { topic: match[1]!, partition: Number(match[2]), offset: Number(match[3]) };
}
