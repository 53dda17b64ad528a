/** The broker adapters' limits, each with a name (design H6). */

/** Largest record batch we send: below the 1 MiB that our topics and Kafka's default accept. */
export const BATCH_BYTES_MAX = 900_000;

/** Default of a fetch's `bytesMax`. */
export const FETCH_BYTES_MAX = 4 * 1024 * 1024;

/** Default of a fetch's `waitMsMax`. */
export const FETCH_WAIT_MS_MAX = 500;

/** Default of a transaction's timeout: the broker aborts what is open for longer. */
export const TRANSACTION_TIMEOUT_MS = 10_000;
