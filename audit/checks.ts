/** Every check. Each compares only what has the same partition and raw offset, so that slices can be looked at one by one. */
import type { Check } from "./check.ts";
import { FLAG_OF_ROW_CHECK, TABLE_CHECKS, UNSTORABLE_CHECK } from "./table_checks.ts";
import { TOPIC_CHECKS } from "./topic_checks.ts";

/** Every check; its place is `check_id` in `finding`. */
export const CHECKS: readonly Check[] = [
  ...TOPIC_CHECKS,
  ...TABLE_CHECKS,
  FLAG_OF_ROW_CHECK,
  UNSTORABLE_CHECK,
];
