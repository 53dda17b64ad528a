import { assertEquals, assertThrows } from "@std/assert";
import { nextSequence } from "./kafka_delivery.ts";
import * as errors from "./kafka_errors.ts";
import { FencedError, TooLargeError, UnknownTopicError } from "./port.ts";

const { BrokerRefusalError, ConnectionLostError, errorKind, isRetriable, portError, refuse } =
  errors;

Deno.test("the adapter's own error classes have names of their own", () => {
  assertEquals(new BrokerRefusalError(1, "x").name, "BrokerRefusalError");
  assertEquals(new ConnectionLostError("x").name, "ConnectionLostError");
});

Deno.test("errorKind() says what to do about each code that has a meaning here", () => {
  // https://kafka.apache.org/protocol#protocol_error_codes
  const table: [number, string, string, boolean][] = [
    [1, /* */ "OFFSET_OUT_OF_RANGE", "final", false],
    [3, /* */ "UNKNOWN_TOPIC_OR_PARTITION", "leader", true],
    [6, /* */ "NOT_LEADER_OR_FOLLOWER", "leader", true],
    [10, /**/ "MESSAGE_TOO_LARGE", "too_large", false],
    [14, /**/ "COORDINATOR_LOAD_IN_PROGRESS", "wait", true],
    [15, /**/ "COORDINATOR_NOT_AVAILABLE", "coordinator", true],
    [16, /**/ "NOT_COORDINATOR", "coordinator", true],
    [27, /**/ "REBALANCE_IN_PROGRESS", "member", true],
    [29, /**/ "TOPIC_AUTHORIZATION_FAILED", "final", false],
    [45, /**/ "OUT_OF_ORDER_SEQUENCE_NUMBER", "final", false],
    [47, /**/ "INVALID_PRODUCER_EPOCH", "fenced", false],
    [48, /**/ "INVALID_TXN_STATE", "final", false],
    [49, /**/ "INVALID_PRODUCER_ID_MAPPING", "fenced", false],
    [51, /**/ "CONCURRENT_TRANSACTIONS", "wait", true],
    [90, /**/ "PRODUCER_FENCED", "fenced", false],
  ];
  for (const [code, name, kind, retriable] of table) {
    const error = assertThrows(() => refuse(code, "try"), BrokerRefusalError);
    assertEquals(error.message, `Cannot try: the broker answered ${name} (${code})`);
    assertEquals([errorKind(code), isRetriable(error)], [kind, retriable], name);
  }
  refuse(0, "try");
});

Deno.test("portError() turns a final refusal into the port's error, with its cause", () => {
  const table: [number, unknown][] = [
    [47, FencedError],
    [90, FencedError],
    [10, TooLargeError],
    [18, TooLargeError],
    [3, UnknownTopicError],
    [44, BrokerRefusalError],
  ];
  for (const [code, expected] of table) {
    const refusal = new BrokerRefusalError(code, "try");
    const error = portError(refusal) as Error;
    assertEquals(error.constructor, expected);
    if (error !== refusal) assertEquals(error.cause, refusal);
  }
});

Deno.test("nextSequence() goes from 2^31 - 1 on to 0, as Java's producer does", () => {
  // org.apache.kafka.common.record.DefaultRecordBatch.incrementSequence
  assertEquals(nextSequence(0, 5), 5);
  assertEquals(nextSequence(2147483646, 1), 2147483647);
  assertEquals(nextSequence(2147483647, 1), 0);
  assertEquals(nextSequence(2147483645, 10), 7);
});
