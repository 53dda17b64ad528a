/** What the supervisor needs to know of a service to run it. */
import type { ServiceName } from "../../contracts/services.ts";

/** Whether a service does its work, and why not. */
export interface Readiness {
  ready: boolean;
  reasons: string[];
}

/** One service. */
export interface ServiceSpec {
  name: ServiceName;
  /** Program and arguments. Empty: it runs elsewhere, its readiness is only watched. */
  command: readonly string[];
  /** The whole environment of the program. */
  env: Record<string, string>;
  /** `host:port`, for people. */
  address: string;
  /** How long it may take to stop before it is killed, in ms. All of them together stay below 30 s. */
  graceMs: number;
  /** Runs before every start. */
  prepare?(): Promise<void>;
  /** Asks it over the wire; quick, never throws. */
  ready(): Promise<Readiness>;
  /** Runs once when it is ready for the first time, before the next service starts. Returns what it did. */
  settle?(): Promise<string>;
  /** Whether it answers at all, where a hung process can be told from a busy one. Never throws. */
  alive?(): Promise<boolean>;
  /**
   * A process that answers nothing for this long is killed; a slow start counts as well.
   *
   * @default {HUNG_MS}
   */
  hungMs?: number;
}

/** Default of {@linkcode ServiceSpec.hungMs}, in ms. */
export const HUNG_MS = 90_000;

/** A start that cannot go on: the message is for people. */
export class StartError extends Error {
  override readonly name = "StartError";
  constructor(message: string, readonly exitCode: number) {
    super(message);
  }
}

/** Hash of what would be started: an adopted process with another one is replaced. */
export async function fingerprint(spec: ServiceSpec): Promise<string> {
  const entries = Object.entries(spec.env).filter(([name]) => name.startsWith("PIPELINE_")).sort();
  const bytes = new TextEncoder().encode(JSON.stringify([spec.command, entries]));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
