import { assertEquals } from "@std/assert";
import { progressBar, stepLine, Steps } from "./steps.ts";

Deno.test("stepLine() aligns names and times", () => {
  const lines = [
    stepLine("✓", { name: "kafka", tookMs: 1_840, detail: "ready" }),
    stepLine("✗", { name: "catalog contents", tookMs: 12_000, detail: "" }),
  ];
  assertEquals(lines, [
    "✓ kafka                1.8 s  ready",
    "✗ catalog contents    12.0 s",
  ]);
});

Deno.test("progressBar() fills up and never overflows", () => {
  assertEquals([0, 0.5, 2].map((share) => progressBar(share).replaceAll("·", "-")), [
    `[${"-".repeat(24)}]`,
    `[${"█".repeat(12)}${"-".repeat(12)}]`,
    `[${"█".repeat(24)}]`,
  ]);
});

Deno.test("Steps prints plain lines where there is no terminal, and redraws one where there is", async () => {
  const plain: string[] = [];
  const steps = new Steps({ write: (text) => void plain.push(text), columns: undefined });
  steps.moving({ name: "jars", tookMs: 0, detail: "" });
  const value = await steps.run("jars", () => Promise.resolve({ value: 7, detail: "there" }));
  assertEquals(value, 7);
  assertEquals(plain.map((text) => text.replace(/\d\.\d/, "N")), [
    "✓ jars                 N s  there\n",
  ]);

  const terminal: string[] = [];
  const moving = new Steps({ write: (text) => void terminal.push(text), columns: 20 });
  moving.moving({ name: "kafka", tookMs: 500, detail: "a long detail" });
  moving.ended("✓", { name: "kafka", tookMs: 900, detail: "ready" });
  assertEquals(terminal, [
    "\r\x1b[2K⠋ kafka            ",
    "\r\x1b[2K✓ kafka                0.9 s  ready\n",
  ]);
});
