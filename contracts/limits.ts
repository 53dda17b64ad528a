/** Limits of the contract itself. Limits that an operator may set live in pipeline_config.ts. */

/** Longest account_id, in characters. */
export const ACCOUNT_ID_LENGTH_MAX = 64;

/** Amounts are below this in size: 11 integer and 4 fraction digits are 15, exact in every JSON reader. */
export const AMOUNT_SIZE_LIMIT = 100_000_000_000;

/** Most digits after the decimal point of an amount. */
export const AMOUNT_DECIMALS_MAX = 4;

/** Most fields of a transaction beyond the ten of the contract. */
export const EXTRA_FIELDS_MAX = 200;

/** Deepest nesting of a transaction; the record's own object is depth 1. */
export const DEPTH_MAX = 8;

/** How far a timestamp may lie after the Kafka timestamp of its raw record, in µs. */
export const TIMESTAMP_AHEAD_MAX_US = 60_000_000;

/** Earliest timestamp: 2000-01-01T00:00:00Z, in µs since the epoch. */
export const TIMESTAMP_MIN_US = 946_684_800_000_000;

/** How much of an unprocessable record a dead letter carries, in bytes. */
export const ORIGINAL_BYTES_MAX = 10 * 1024;

/** Most transaction ids named in the evidence of a velocity alert. */
export const EVIDENCE_IDS_MAX = 20;
