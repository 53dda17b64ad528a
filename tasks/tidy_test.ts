import { assertEquals, assertStringIncludes } from "@std/assert";
import { tidy } from "./tidy_rules.ts";

const PINNED = `{"imports": {"zod": "npm:zod@4.6.7"}}`;

function messages(path: string, text: string, denoJson = PINNED): string[] {
  return tidy([{ path, text }], denoJson).map((finding) => finding.message);
}

Deno.test("tidy() is quiet on a tidy file", () => {
  assertEquals(messages("sink/run.ts", `import { a } from "../contracts/mod.ts";\n`), []);
});

Deno.test("tidy() names the layers that a folder may import", () => {
  const [message] = messages("sink/run.ts", `import { a } from "../processor/step.ts";\n`);
  assertStringIncludes(message!, `Cannot import "processor/step.ts"`);
  assertEquals(messages("iceberg/x.ts", `import "../contracts/mod.ts";\n`).length, 1);
});

Deno.test("tidy() bans clocks in pure folders and names the replacement", () => {
  const [message] = messages("rules/engine.ts", "const now = Date.now();\n");
  assertStringIncludes(message!, "an argument");
  assertEquals(messages("runtime/log.ts", "const now = Date.now();\n"), []);
});

Deno.test("tidy() bans version specifiers in sources and inexact pins", () => {
  assertEquals(messages("runtime/x.ts", `import { z } from "npm:zod";\n`).length, 1);
  const [message] = messages("runtime/x.ts", "", `{"imports": {"zod": "npm:zod@^4"}}`);
  assertStringIncludes(message!, "not an exact version");
});

Deno.test("tidy() reports a file of more than 400 lines", () => {
  assertEquals(messages("sink/x.ts", "//\n".repeat(400)), []);
  assertEquals(messages("sink/x.ts", "//\n".repeat(401)), ["401 lines; split by noun at 400"]);
});

Deno.test("tidy() reports an import cycle with its path", () => {
  const findings = tidy([
    { path: "sink/a.ts", text: `import "./b.ts";\n` },
    { path: "sink/b.ts", text: `import "./a.ts";\n` },
  ], PINNED);
  assertEquals(findings.map((f) => f.message), [
    "Import cycle: sink/a.ts -> sink/b.ts -> sink/a.ts",
  ]);
});

Deno.test("tidy() reports a cycle between folders, and lets types pass", () => {
  const files = [
    { path: "iceberg/scan/a.ts", text: `import "../storage/b.ts";\n` },
    { path: "iceberg/storage/c.ts", text: `import { x } from "../scan/d.ts";\n` },
  ];
  assertEquals(tidy(files, PINNED).map((f) => f.message), [
    "Cycle between folders: iceberg/scan -> iceberg/storage -> iceberg/scan",
  ]);
  files[1]!.text = `import type { x } from "../scan/d.ts";\n`;
  assertEquals(tidy(files, PINNED), []);
});

Deno.test("tidy() lets a line say why a ban is set aside", () => {
  assertEquals(messages("rules/x.ts", "Date.now(); // tidy-allow: a reason\n"), []);
});
