import { assertEquals } from "@std/assert";
import type { ConfigIssue } from "../contracts/errors.ts";
import type { Parsed } from "../runtime/config_parse.ts";
import { sleep } from "../runtime/retry.ts";
import { openRuleFile } from "./rule_reload.ts";
import type { ReadyRuleSet } from "./step_types.ts";

const issue: ConfigIssue = { file: "f", field: "$", value: "x", expected: "y" };

/** A text is a rule set of that version; `bad` is none; spaces do not count. */
function parse(text: string): Parsed<ReadyRuleSet<string>> {
  const version = text.trim();
  if (version === "bad") return { ok: false, issues: [issue] };
  const record = { rulesVersion: version, document: "{}" };
  return { ok: true, value: { version, record, compiled: text } };
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 2000 && !condition(); i++) await sleep(1);
  assertEquals(condition(), true);
}

Deno.test("rule file: edits are followed, broken ones leave the last good set in force", async () => {
  let text: string | undefined = "v1";
  const heard: string[] = [];
  const source = await openRuleFile({
    path: "rules.yaml",
    parse,
    listener: {
      loaded: (version) => heard.push(version),
      broken: (issues) => heard.push(`${issues.length} issue`),
    },
    pollMs: 1,
    read: () =>
      text === undefined ? Promise.reject(new Deno.errors.NotFound()) : Promise.resolve(text),
  });
  const first = source.current();
  assertEquals(first?.version, "v1");
  const stop = new AbortController();
  const watching = source.watch(stop.signal);
  text = "bad";
  await until(() => heard.length === 2);
  assertEquals([source.current(), source.issues()], [first, [issue]]);
  text = " v1 ";
  await until(() => heard.length === 3);
  assertEquals(
    [source.current() === first, source.issues()],
    [true, []],
    "same version, same object",
  );
  text = "v2";
  await until(() => heard.length === 4);
  assertEquals(source.current()?.version, "v2");
  text = undefined;
  await until(() => heard.length === 5);
  assertEquals(source.current()?.version, "v2");
  stop.abort(new Error("done"));
  await watching;
  assertEquals(heard, ["v1", "1 issue", "v1", "v2", "1 issue"]);
});

Deno.test("rule file: a missing one at start is an issue, not an error", async () => {
  const source = await openRuleFile({
    path: "rules.yaml",
    parse,
    listener: { loaded: () => {}, broken: () => {} },
    read: () => Promise.reject(new Deno.errors.NotFound()),
  });
  assertEquals(source.current(), undefined);
  assertEquals(source.issues().map(({ value }) => value), ["no such file"]);
});
