/** The contract of the broker port, as cases that run on every adapter (design section 13). */
import { clusterCases } from "./conformance_cluster.ts";
import { recordCases } from "./conformance_records.ts";
import type { ConformanceCase } from "./conformance_support.ts";
import { transactionCases } from "./conformance_transactions.ts";

/** Every rule, in the order of reading. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...recordCases,
  ...transactionCases,
  ...clusterCases,
];
