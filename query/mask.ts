/** --mask-accounts: account ids as salted SHA-256, for extracts that leave the house (H8). */
import { MisuseError } from "../contracts/errors.ts";
import type { TableName } from "../contracts/tables.ts";
import { quoteName, quoteText } from "./conditions.ts";

/** Columns that the mask changes, in lower case: what a query says of them is not what the files hold. */
export const MASKED_COLUMNS: Readonly<Record<TableName, readonly string[]>> = {
  transactions: ["account_id"],
  alerts: ["account_id", "description"],
  dead_letters: ["original", "errors"],
  pipeline_sessions: [],
};

/** @throws {MisuseError} where there is no salt: an unsalted hash of a short id is no mask. */
export function requireSalt(salt: string | undefined): string {
  if (salt !== undefined) return salt;
  throw new MisuseError(
    `Cannot use "--mask-accounts": PIPELINE_MASK_SALT is not set; ` +
      `set it to a secret text, the same for all extracts that should join`,
  );
}

/** The salted SHA-256 in SQL, as runtime/mask.ts defines it but in full length. */
function hash(salt: string): string {
  return `sha256(${quoteText(salt)} || chr(0) || account_id)`;
}

/**
 * What stands in place of the columns of a row (or of a join's row) that hold account ids; undefined where
 * none does. Descriptions name the account in a sentence; the raw records of dead letters may hold
 * anything, so nothing of them is shown.
 */
export function maskedColumns(
  columns: readonly string[],
  salt: string,
): ReadonlyMap<string, string> {
  const masked = new Map<string, string>();
  const has = (name: string): boolean => columns.includes(name);
  if (has("account_id")) {
    masked.set("account_id", hash(salt));
    if (has("description")) {
      masked.set("description", `replace(description, account_id, ${hash(salt)})`);
    }
  }
  if (has("dead_letter_id")) {
    if (has("original")) masked.set("original", "CAST(NULL AS VARCHAR)");
    if (has("errors")) {
      masked.set(
        "errors",
        `[{'field': e.field, 'expected': e.expected, 'actual': CAST(NULL AS VARCHAR)} FOR e IN errors]`,
      );
    }
  }
  return masked;
}

/** A table expression with its account ids masked. */
export function maskedSource(sql: string, columns: readonly string[], salt: string): string {
  const masked = [...maskedColumns(columns, salt)];
  if (masked.length === 0) return sql;
  const replaced = masked.map(([name, expression]) => `${expression} AS ${quoteName(name)}`);
  return `(SELECT * REPLACE (${replaced.join(", ")}) FROM ${sql} AS unmasked)`;
}
