/** Deterministic ids (RFC 9562 section 5.5) and the trace that names a raw record. */
import { sha1 } from "./sha1.ts";

/** Namespace of every id that the pipeline derives (design section 8). */
export const ID_NAMESPACE = "6f1c1f0e-6a3c-5c0e-9f5b-2b7a5d0c4e11";

const namespaceBytes = Uint8Array.from(
  ID_NAMESPACE.replaceAll("-", "").match(/../g)!,
  (pair) => parseInt(pair, 16),
);

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function pairs(word: number, shift: number): string {
  return HEX[(word >>> (shift + 8)) & 0xff]! + HEX[(word >>> shift) & 0xff]!;
}

/** Prints a UUID, given as four big-endian 32-bit words, in lower case. */
export function printUuid(word0: number, word1: number, word2: number, word3: number): string {
  return `${pairs(word0, 16)}${pairs(word0, 0)}-${pairs(word1, 16)}-${pairs(word1, 0)}-${
    pairs(word2, 16)
  }-${pairs(word2, 0)}${pairs(word3, 16)}${pairs(word3, 0)}`;
}

const digest = new Int32Array(5);

/** UUIDv5 of `name` under `namespace` (16 bytes; the pipeline's own by default), in lower case. */
export function uuidV5(name: string, namespace: Uint8Array = namespaceBytes): string {
  sha1(namespace, name, digest);
  // RFC 9562 section 5.5: the first 128 bits, with version 5 and variant 10.
  const word1 = (digest[1]! & 0xffff0fff) | 0x5000;
  const word2 = (digest[2]! & 0x3fffffff) | 0x80000000;
  return printUuid(digest[0]!, word1, word2, digest[3]!);
}

/** Id of the alert that `ruleName` raises on a transaction: the same on every replay. */
export function alertId(ruleName: string, transactionId: string): string {
  return uuidV5(`${ruleName}:${transactionId}`);
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
