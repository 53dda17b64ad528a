/** rules_version: names a rule set together with all that can change a verdict (design section 4). */
import { createHash } from "node:crypto";
import { COUNTRIES, CURRENCIES } from "../contracts/codes.ts";
import {
  ACCOUNT_ID_LENGTH_MAX,
  AMOUNT_DECIMALS_MAX,
  AMOUNT_SIZE_LIMIT,
  DEPTH_MAX,
  EXTRA_FIELDS_MAX,
  TIMESTAMP_AHEAD_MAX_US,
  TIMESTAMP_MIN_US,
} from "../contracts/limits.ts";
import {
  MERCHANT_CATEGORIES,
  TRANSACTION_STATUSES,
  TRANSACTION_TYPES,
} from "../contracts/transaction.ts";
import { canonicalJson } from "./canonical_json.ts";
import { CELLS_PER_ACCOUNT_MAX, type RuleDefinition } from "./rule_type.ts";

/** Raised with every change of the code that can change a verdict. */
export const ENGINE_VERSION = "1";

/** Settings of an operator, and of the runtime, that can change a verdict. */
export interface VerdictSettings {
  dedup_ids_max: number;
  accounts_max: number;
  record_bytes_max: number;
  /** Version of the time zone data, as `process.versions.tz` has it. */
  time_zone_data: string;
}

function sha256Start(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex").slice(0, 12);
}

const contract = {
  code_lists: sha256Start(canonicalJson([
    [...CURRENCIES].sort(),
    [...COUNTRIES].sort(),
    MERCHANT_CATEGORIES,
    TRANSACTION_TYPES,
    TRANSACTION_STATUSES,
  ])),
  limits: {
    ACCOUNT_ID_LENGTH_MAX,
    AMOUNT_DECIMALS_MAX,
    AMOUNT_SIZE_LIMIT,
    CELLS_PER_ACCOUNT_MAX,
    DEPTH_MAX,
    EXTRA_FIELDS_MAX,
    TIMESTAMP_AHEAD_MAX_US,
    TIMESTAMP_MIN_US,
  },
};

/** A rule set in force, as the changelog keeps it under its version. */
export interface RuleSetDocument {
  engine_version: string;
  contract: unknown;
  rules: RuleDefinition[];
  settings: VerdictSettings;
}

/** The canonical text that {@linkcode rulesVersion} hashes; JSON of a {@linkcode RuleSetDocument}. */
export function ruleSetText(rules: readonly RuleDefinition[], settings: VerdictSettings): string {
  return canonicalJson({ engine_version: ENGINE_VERSION, contract, rules, settings });
}

/** First 12 hex digits of the SHA-256 of the canonical rules, settings and engine version. */
export function rulesVersion(rules: readonly RuleDefinition[], settings: VerdictSettings): string {
  return sha256Start(ruleSetText(rules, settings));
}
