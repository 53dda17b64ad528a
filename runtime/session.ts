/** When and how a stage publishes its session figures to `pipeline-sessions` (design sections 3, 6). */
import { HEADER_SCHEMA_VERSION } from "../contracts/headers.ts";
import { SCHEMA_VERSION } from "../contracts/services.ts";
import type { SessionFigures } from "../contracts/session.ts";
import type { Logger } from "./log.ts";
import { sleep } from "./retry.ts";

/** How often figures go out while a stage runs. */
export const SESSION_PUBLISH_MS = 60_000;

const HOUR_MS = 3_600_000;

/** One record of `pipeline-sessions`, as columns that a broker's writer takes as they are. */
export interface SessionBatch {
  keys: Uint8Array[];
  values: Uint8Array[];
  headers: { name: string; values: Uint8Array }[];
}

/** The record: key session_id, value the figures. */
export function sessionBatch(figures: SessionFigures): SessionBatch {
  const encoder = new TextEncoder();
  return {
    keys: [encoder.encode(figures.session_id)],
    values: [encoder.encode(JSON.stringify(figures))],
    headers: [{ name: HEADER_SCHEMA_VERSION, values: encoder.encode(SCHEMA_VERSION) }],
  };
}

/** ms until figures are due: after a minute, or at the hour's change where that comes first. */
export function untilSessionDue(nowMs: number): number {
  return Math.min(SESSION_PUBLISH_MS, HOUR_MS - nowMs % HOUR_MS);
}

/** Options of {@linkcode publishSessions}. */
export interface PublishOptions {
  /** Figures of this moment. */
  figures: (final: boolean) => SessionFigures;
  /** Sends one record; may reject. */
  publish: (batch: SessionBatch) => Promise<void>;
  now: () => number;
  log: Logger;
  /** The stage is ending. */
  signal: AbortSignal;
}

/**
 * Publishes until `signal` aborts, then resolves without a last record: the stage publishes that
 * itself, `final: true`, after its work is done. A failed publication is logged and made good by the
 * next, since figures are cumulative.
 */
export async function publishSessions(options: PublishOptions): Promise<void> {
  const { figures, publish, now, log, signal } = options;
  while (!signal.aborted) {
    try {
      await sleep(untilSessionDue(now()), signal);
    } catch {
      return;
    }
    try {
      await publish(sessionBatch(figures(false)));
    } catch (error) {
      log.warn("session_not_published", { error });
    }
  }
}
