/** The broker adapters' limits, each with a name (design H6). */

/** Largest record batch we send: below the 1 MiB that our topics and Kafka's default accept. */
export const BATCH_BYTES_MAX = 900_000;

/** Default of a fetch's `bytesMax`. */
export const FETCH_BYTES_MAX = 4 * 1024 * 1024;

/** Default of a fetch's `waitMsMax`. */
export const FETCH_WAIT_MS_MAX = 500;

/** Default of a transaction's timeout: the broker aborts what is open for longer. */
export const TRANSACTION_TIMEOUT_MS = 10_000;

/** How long an operation is retried before the broker counts as unreachable. */
export const DEADLINE_MS = 15_000;

/** How long one request may take beyond the time that the broker was told to wait. */
export const REQUEST_MS_MAX = 15_000;

/** How long connecting may take. */
export const CONNECT_MS_MAX = 3_000;

/** First pause between attempts; it doubles up to {@linkcode RETRY_MS_MAX}. */
export const RETRY_MS_FIRST = 4;

/** Longest pause between attempts. */
export const RETRY_MS_MAX = 200;

/** Batches of one partition under way at once: as many as the broker remembers to tell duplicates. */
export const BATCHES_IN_FLIGHT_MAX = 5;

/** Default session timeout of a group member. */
export const SESSION_TIMEOUT_MS = 15_000;

/** How long a rebalance waits for members to join again. */
export const REBALANCE_MS_MAX = 10_000;

/** Largest uncompressed size of one compressed record batch. */
export const DECOMPRESSED_BYTES_MAX = 64 * 1024 * 1024;
