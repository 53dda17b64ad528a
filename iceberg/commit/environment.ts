/** What a commit needs from outside: storage, clock, randomness, waiting. All are arguments (no hidden I/O). */

import { IcebergError } from "../errors.ts";
import type { Storage } from "../storage/port.ts";

/** The outside of a commit. */
export interface CommitEnvironment {
  readonly storage: Storage;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Uniform in [0, 1), seeded unpredictably: ids and file names of rival writers come from it. */
  readonly random: () => number;
  /** Resolves after so many milliseconds, or rejects when the signal aborts. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** The environment of a real process. */
export function systemEnvironment(storage: Storage): CommitEnvironment {
  return { storage, nowMs: Date.now, random: cryptoRandom, sleep: timerSleep };
}

function cryptoRandom(): number {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (high * 2 ** 21 + (low >>> 11)) / 2 ** 53;
}

function timerSleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/**
 * A snapshot id: positive, 63 random bits, as the Java writer makes them. Chosen before the first
 * attempt of a commit and kept for all of them: it is how a commit with an unknown outcome is found.
 */
export function newSnapshotId(random: () => number): bigint {
  let id = 0n;
  for (let part = 0; part < 3; part++) {
    id = id << 21n | BigInt(Math.floor(random() * 2 ** 21));
  }
  return id === 0n ? 1n : id;
}

/** A random UUID (version 4) out of the given randomness. */
export function newUuid(random: () => number): string {
  const bytes = Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}

/** Reads a whole-number table property. @throws {IcebergError} if it is set to something else */
export function integerProperty(
  properties: Readonly<Record<string, string>>,
  name: string,
  fallback: number,
): number {
  const text = properties[name];
  if (text === undefined) return fallback;
  if (!/^\d{1,15}$/.test(text)) {
    throw new IcebergError(
      `Cannot use table property "${name}": expected a whole number, current value is "${text}"`,
    );
  }
  return Number(text);
}

/** Reads a boolean table property. @throws {IcebergError} if it is set to something else */
export function booleanProperty(
  properties: Readonly<Record<string, string>>,
  name: string,
  fallback: boolean,
): boolean {
  const text = properties[name]?.toLowerCase();
  if (text === undefined) return fallback;
  if (text !== "true" && text !== "false") {
    throw new IcebergError(
      `Cannot use table property "${name}": expected true or false, current value is "${text}"`,
    );
  }
  return text === "true";
}
