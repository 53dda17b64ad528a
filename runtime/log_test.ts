import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { createLogger } from "./log.ts";
import { maskAccount } from "./mask.ts";

function recorder() {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({
    component: "sink",
    sessionId: "s-1",
    now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6),
    write: (line) => lines.push(JSON.parse(line)),
  });
  return { log, lines };
}

Deno.test("a log line carries ts, level, component, session_id, event and the fields", () => {
  const { log, lines } = recorder();
  log.info("commit", { rows: 3, snapshot_id: 2n ** 62n });
  assertEquals(lines, [{
    ts: "2026-01-02T03:04:05.006Z",
    level: "info",
    component: "sink",
    session_id: "s-1",
    event: "commit",
    rows: 3,
    snapshot_id: "4611686018427387904",
  }]);
});

Deno.test("a field cannot displace the head of a line", () => {
  const { log, lines } = recorder();
  log.warn("odd", { level: "error", event: "other" });
  assertEquals([lines[0]!.level, lines[0]!.event], ["warn", "odd"]);
});

Deno.test("an error is printed with message, stack, own fields and its chain of causes", () => {
  const { log, lines } = recorder();
  const error = new Error("outer", { cause: new TypeError("inner") });
  log.error("failed", { error: Object.assign(error, { topic: "t" }) });
  const printed = lines[0]!.error as Record<string, unknown>;
  assertEquals([printed.name, printed.message, printed.topic], ["Error", "outer", "t"]);
  assert(String(printed.stack).includes("log_test.ts"));
  const cause = printed.cause as Record<string, unknown>;
  assertEquals([cause.name, cause.message], ["TypeError", "inner"]);
});

Deno.test("a circular field costs the fields, not the process", () => {
  const { log, lines } = recorder();
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  log.info("round", { circle });
  assertEquals(lines[0]!.event, "round");
  assert(String(lines[0]!.unprintable).includes("circular"));
});

Deno.test("debug is left out by default; a child keeps the session", () => {
  const { log, lines } = recorder();
  log.debug("detail");
  log.child("broker").info("connected");
  assertEquals(lines.map((line) => [line.component, line.session_id, line.event]), [
    ["broker", "s-1", "connected"],
  ]);
});

Deno.test("maskAccount() depends on the salt and does not show the id", () => {
  const mask = maskAccount("salt", "ACC1");
  // printf 'salt\0ACC1' | sha256sum
  assertEquals(mask, "b1d756e486c8");
  assertNotEquals(mask, maskAccount("other", "ACC1"));
});
