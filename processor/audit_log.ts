/**
 * The audit events of the log (design section 9), in bounded volume: at high rates the first few of
 * each second are written, and a line says how many were left out. All of them are in the topics.
 */
import type { Logger } from "../runtime/log.ts";
import type { CommittedUnit } from "./context.ts";

/** Lines of each event in a second. */
export const AUDIT_LINES_MAX = 20;

const SECOND_MS = 1000;

/** Events with a budget. */
type AuditEvent = "alert_raised" | "dead_letter" | "commit";

/** Options of {@linkcode AuditLog}. */
export interface AuditLogOptions {
  log: Logger;
  /** Masks an account id (H8). */
  mask: (accountId: string) => string;
}

/** Writes audit events of committed units. */
export class AuditLog {
  readonly #log: Logger;
  readonly #mask: (accountId: string) => string;
  readonly #written = new Map<AuditEvent, number>();
  readonly #leftOut = new Map<AuditEvent, number>();
  #second = 0;

  constructor({ log, mask }: AuditLogOptions) {
    this.#log = log;
    this.#mask = mask;
  }

  /** Takes note of a unit; its commit was acknowledged. */
  committed(unit: CommittedUnit): void {
    const { partition, position, result, appliedRules, nowMs } = unit;
    this.#turn(nowMs);
    if (appliedRules !== undefined) {
      this.#log.info("config_applied", { partition, rules_version: appliedRules });
    }
    if (result === undefined) return;
    const { counts, alertInfos, deadLetterInfos } = result;
    for (const { ruleName, severity, transactionId, accountId, trace } of alertInfos) {
      this.#write("alert_raised", () => ({
        rule_name: ruleName,
        severity,
        transaction_id: transactionId,
        account: this.#mask(accountId),
        trace,
      }));
    }
    this.#skip("alert_raised", counts.alerts - alertInfos.length);
    for (const { errorType, fields, trace } of deadLetterInfos) {
      this.#write("dead_letter", () => ({ error_type: errorType, fields, trace }));
    }
    this.#skip("dead_letter", counts.deadLettered - deadLetterInfos.length);
    this.#write("commit", () => ({
      partition,
      position: String(position),
      records: counts.records,
      alerts: counts.alerts,
      dead_letters: counts.deadLettered,
      ms: unit.commitMs,
    }));
  }

  /** Says what was left out since the last second; for the end of the process too. */
  flush(): void {
    if (this.#leftOut.size > 0) {
      this.#log.info("audit_left_out", Object.fromEntries(this.#leftOut));
    }
    this.#leftOut.clear();
    this.#written.clear();
  }

  #turn(nowMs: number): void {
    const second = Math.floor(nowMs / SECOND_MS);
    if (second === this.#second) return;
    this.#second = second;
    this.flush();
  }

  /** Fields are made only for lines that are written. */
  #write(event: AuditEvent, fields: () => Record<string, unknown>): void {
    const written = this.#written.get(event) ?? 0;
    if (written >= AUDIT_LINES_MAX) return this.#skip(event, 1);
    this.#written.set(event, written + 1);
    this.#log.info(event, fields());
  }

  #skip(event: AuditEvent, count: number): void {
    if (count > 0) this.#leftOut.set(event, (this.#leftOut.get(event) ?? 0) + count);
  }
}
