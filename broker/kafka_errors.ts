/** Kafka's error codes, and what each one means for us (https://kafka.apache.org/protocol#protocol_error_codes). */
import { FencedError, TooLargeError, UnknownTopicError } from "./port.ts";

/** Names of the codes that are told apart here, for messages and for {@linkcode errorKind}. */
const NAMES: Record<number, string> = {
  [-1]: "UNKNOWN_SERVER_ERROR",
  1: "OFFSET_OUT_OF_RANGE",
  2: "CORRUPT_MESSAGE",
  3: "UNKNOWN_TOPIC_OR_PARTITION",
  5: "LEADER_NOT_AVAILABLE",
  6: "NOT_LEADER_OR_FOLLOWER",
  7: "REQUEST_TIMED_OUT",
  9: "REPLICA_NOT_AVAILABLE",
  10: "MESSAGE_TOO_LARGE",
  13: "NETWORK_EXCEPTION",
  14: "COORDINATOR_LOAD_IN_PROGRESS",
  15: "COORDINATOR_NOT_AVAILABLE",
  16: "NOT_COORDINATOR",
  17: "INVALID_TOPIC_EXCEPTION",
  18: "RECORD_LIST_TOO_LARGE",
  19: "NOT_ENOUGH_REPLICAS",
  20: "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
  22: "ILLEGAL_GENERATION",
  25: "UNKNOWN_MEMBER_ID",
  27: "REBALANCE_IN_PROGRESS",
  29: "TOPIC_AUTHORIZATION_FAILED",
  30: "GROUP_AUTHORIZATION_FAILED",
  31: "CLUSTER_AUTHORIZATION_FAILED",
  36: "TOPIC_ALREADY_EXISTS",
  37: "INVALID_PARTITIONS",
  38: "INVALID_REPLICATION_FACTOR",
  40: "INVALID_CONFIG",
  41: "NOT_CONTROLLER",
  42: "INVALID_REQUEST",
  44: "POLICY_VIOLATION",
  45: "OUT_OF_ORDER_SEQUENCE_NUMBER",
  46: "DUPLICATE_SEQUENCE_NUMBER",
  47: "INVALID_PRODUCER_EPOCH",
  48: "INVALID_TXN_STATE",
  49: "INVALID_PRODUCER_ID_MAPPING",
  50: "INVALID_TRANSACTION_TIMEOUT",
  51: "CONCURRENT_TRANSACTIONS",
  53: "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
  55: "OPERATION_NOT_ATTEMPTED",
  56: "KAFKA_STORAGE_ERROR",
  59: "UNKNOWN_PRODUCER_ID",
  74: "FENCED_LEADER_EPOCH",
  75: "UNKNOWN_LEADER_EPOCH",
  78: "OFFSET_NOT_AVAILABLE",
  79: "MEMBER_ID_REQUIRED",
  82: "FENCED_INSTANCE_ID",
  87: "INVALID_RECORD",
  89: "THROTTLING_QUOTA_EXCEEDED",
  90: "PRODUCER_FENCED",
  100: "UNKNOWN_TOPIC_ID",
};

/** Codes by name, for the places that decide by one. */
export const CODE = {
  offsetOutOfRange: 1,
  unknownTopicOrPartition: 3,
  illegalGeneration: 22,
  unknownMemberId: 25,
  rebalanceInProgress: 27,
  topicAlreadyExists: 36,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  operationNotAttempted: 55,
  memberIdRequired: 79,
  fencedInstanceId: 82,
} as const;

/**
 * What to do about a code. `wait`: ask again in a moment; `leader`, `coordinator`: find out anew who
 * is responsible, then ask again; `member`: join the group again, then ask; the others are final.
 */
export type ErrorKind =
  | "wait"
  | "leader"
  | "coordinator"
  | "member"
  | "fenced"
  | "too_large"
  | "final";

const RETRIABLE: readonly ErrorKind[] = ["wait", "leader", "coordinator", "member"];

const KINDS: [ErrorKind, readonly number[]][] = [
  // CONCURRENT_TRANSACTIONS: the markers of the transaction before are still being written.
  ["wait", [7, 14, 19, 20, 41, 51, 89]],
  ["leader", [3, 5, 6, 9, 13, 56, 74, 75, 78, 100]],
  ["coordinator", [15, 16]],
  ["member", [22, 25, 27, 79]],
  // 49: the id's producer id has been replaced, which only a successor does.
  ["fenced", [47, 49, 90]],
  ["too_large", [10, 18]],
];

/** See {@linkcode ErrorKind}. */
export function errorKind(code: number): ErrorKind {
  return KINDS.find(([, codes]) => codes.includes(code))?.[0] ?? "final";
}

/** A code by which the broker refused a request. */
export class BrokerRefusalError extends Error {
  override readonly name = "BrokerRefusalError";
  constructor(readonly code: number, action: string) {
    super(`Cannot ${action}: the broker answered ${NAMES[code] ?? "error"} (${code})`);
  }
}

/** The connection ended, or no answer came in time: the request may or may not have been served. */
export class ConnectionLostError extends Error {
  override readonly name = "ConnectionLostError";
}

/** True for what may pass: the same request, sent again, can succeed. */
export function isRetriable(error: unknown): boolean {
  if (error instanceof ConnectionLostError) return true;
  return error instanceof BrokerRefusalError && RETRIABLE.includes(errorKind(error.code));
}

/** Throws BrokerRefusalError unless `code` is 0. */
export function refuse(code: number, action: string): void {
  if (code !== 0) throw new BrokerRefusalError(code, action);
}

/** The port's error for a refusal that is final; other errors stay as they are. */
export function portError(error: unknown): unknown {
  if (!(error instanceof BrokerRefusalError)) return error;
  switch (errorKind(error.code)) {
    case "fenced":
      return new FencedError(error.message, { cause: error });
    case "too_large":
      return new TooLargeError(error.message, { cause: error });
    default:
      return error.code === CODE.unknownTopicOrPartition
        ? new UnknownTopicError(error.message, { cause: error })
        : error;
  }
}
