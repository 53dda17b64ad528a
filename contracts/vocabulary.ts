/**
 * Words of the contract that need no schema: for programs whose start should not wait for zod and the code
 * lists (query).
 */

/** What a merchant sells. */
export const MERCHANT_CATEGORIES = [
  "retail",
  "dining",
  "travel",
  "online",
  "groceries",
  "entertainment",
  "utilities",
] as const;

/** Letters and digits. */
export const ACCOUNT_ID_PATTERN = /^[A-Za-z0-9]+$/;

/** How urgent an alert is, least first. */
export const SEVERITIES = ["low", "medium", "high", "critical"] as const;
