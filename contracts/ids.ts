/** Deterministic ids (RFC 9562 section 5.5) and the trace that names a raw record. */
import { createHash } from "node:crypto";

/** Namespace of every id that the pipeline derives (design section 8). */
export const ID_NAMESPACE = "6f1c1f0e-6a3c-5c0e-9f5b-2b7a5d0c4e11";

const namespaceBytes = Uint8Array.from(
  ID_NAMESPACE.replaceAll("-", "").match(/../g)!,
  (pair) => parseInt(pair, 16),
);

/** UUIDv5 of `name` under `namespace` (16 bytes; the pipeline's own by default), in lower case. */
export function uuidV5(name: string, namespace: Uint8Array = namespaceBytes): string {
  const hash = createHash("sha1").update(namespace).update(name, "utf8").digest();
  hash[6] = (hash[6]! & 0x0f) | 0x50;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  const hex = hash.toString("hex", 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${
    hex.slice(20)
  }`;
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
