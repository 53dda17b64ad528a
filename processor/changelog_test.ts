import { assertEquals, assertThrows } from "@std/assert";
import { NotReadyError } from "../contracts/errors.ts";
import {
  applyLoopRecord,
  createLoopRecords,
  dropBoundary,
  dropRuleSet,
  encodeBoundary,
  encodeGap,
  encodePosition,
  encodeRuleSet,
  encodeSchema,
  isPositionKey,
  isStateKey,
} from "./changelog.ts";
import type { StateChange } from "./step_types.ts";

const text = (bytes: Uint8Array | null) => bytes === null ? null : new TextDecoder().decode(bytes);
const bytes = (value: string) => new TextEncoder().encode(value);

function restored(changes: StateChange[]) {
  const records = createLoopRecords();
  for (const { key, value } of changes) applyLoopRecord(records, key, value);
  return records;
}

const position = {
  next: 9_007_199_254_740_991,
  sessionId: "s-1",
  clusterId: "c-1",
  topicId: "t-1",
  rulesVersion: "0123456789ab",
};

Deno.test("changelog: the position is JSON with string offsets under the key p", () => {
  const { key, value } = encodePosition(position);
  assertEquals(text(key), "p");
  assertEquals(JSON.parse(text(value)!), {
    schema_version: "1",
    next: "9007199254740991",
    session_id: "s-1",
    cluster_id: "c-1",
    topic_id: "t-1",
    rules_version: "0123456789ab",
  });
  assertEquals(
    restored([encodePosition({ ...position, next: 5 }), { key, value }]).position,
    position,
  );
});

Deno.test("changelog: keys with offsets sort as the offsets do", () => {
  const keys = [2, 10, 100_000_000_000].map((offset) =>
    text(encodeBoundary({ offset, rulesVersion: "v", appliedAt: "" }).key)!
  );
  assertEquals(keys[0], "b/0000000000000002");
  assertEquals([...keys].sort(), keys);
});

Deno.test("changelog: boundaries, rule sets and gaps come back; tombstones take them away", () => {
  const gap = {
    kind: "expired" as const,
    from: 3,
    to: 7,
    next: 7,
    reason: "gone",
    acceptedAt: "2026-01-01T00:00:00.000Z",
    sessionId: "s-2",
  };
  const boundary = { offset: 4, rulesVersion: "b", appliedAt: "2026-01-01T00:00:00.000Z" };
  const records = restored([
    encodeSchema(),
    encodeRuleSet({ rulesVersion: "a", document: '{"rules":[1]}' }),
    encodeRuleSet({ rulesVersion: "b", document: '{"rules":[2]}' }),
    encodeRuleSet({ rulesVersion: "c", document: '{"rules":[3]}' }),
    encodeRuleSet({ rulesVersion: "a", document: '{"rules":[1]}' }),
    dropRuleSet("c"),
    encodeBoundary({ ...boundary, offset: 1 }),
    encodeBoundary(boundary),
    dropBoundary(1),
    encodeGap(gap),
  ]);
  assertEquals([...records.boundaries.values()], [boundary]);
  assertEquals([...records.gaps.values()], [gap]);
  assertEquals([...records.ruleSets], [
    ["b", { rulesVersion: "b", document: '{"rules":[2]}' }],
    ["a", { rulesVersion: "a", document: '{"rules":[1]}' }],
  ], "least recently written first");
});

Deno.test("changelog: what a newer program wrote is refused, value or key", () => {
  const newer = bytes('{"schema_version":"2","next":"1"}');
  assertThrows(() => restored([{ key: bytes("p"), value: newer }]), NotReadyError, "newer than 1");
  assertThrows(() => restored([{ key: bytes("m/schema"), value: newer }]), NotReadyError);
  assertThrows(() => restored([{ key: bytes("z/1"), value: newer }]), NotReadyError, '"z/1"');
  const odd = bytes('{"schema_version":"1","next":7}');
  assertThrows(
    () => restored([{ key: bytes("p"), value: odd }]),
    NotReadyError,
    "expected an offset",
  );
});

Deno.test("changelog: the core's keys and the position are told apart by their bytes", () => {
  assertEquals(
    ["i/b/1", "a/ACC1/0", "p", "b/1", "r/x", "m/schema"].map((key) => isStateKey(bytes(key))),
    [
      true,
      true,
      false,
      false,
      false,
      false,
    ],
  );
  assertEquals(["p", "pp", "b/1", ""].map((key) => isPositionKey(bytes(key))), [
    true,
    false,
    false,
    false,
  ]);
});
