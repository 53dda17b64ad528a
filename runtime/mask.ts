/** Account ids in logs: never as they are (H8). */
import { createHash } from "node:crypto";

/**
 * 12 hex digits of the salted SHA-256 of an account id: the same account gives the same mask while
 * the salt stays, so that log lines can be joined without naming anybody.
 */
export function maskAccount(salt: string, accountId: string): string {
  return createHash("sha256").update(salt).update("\0").update(accountId).digest("hex").slice(
    0,
    12,
  );
}
