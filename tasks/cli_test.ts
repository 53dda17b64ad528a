import { assertEquals, assertThrows } from "@std/assert";
import { MisuseError } from "../contracts/errors.ts";
import { parseFlags } from "./cli.ts";

const SPEC = { boolean: ["json", "watch", "color"], string: ["table"], wordsMax: 1 };

Deno.test("parseFlags() splits flags and words", () => {
  const flags = parseFlags(["--json", "--table", "alerts", "file", "--no-color"], SPEC);
  assertEquals(flags, { _: ["file"], json: true, table: "alerts", color: false });
  assertEquals(parseFlags(["--table=alerts"], SPEC)["table"], "alerts");
});

Deno.test("parseFlags() names the flag that was meant", () => {
  assertThrows(() => parseFlags(["--tabel", "x"], SPEC), MisuseError, "did you mean --table?");
  assertThrows(() => parseFlags(["--zzzzzz"], SPEC), MisuseError, "no such flag");
});

Deno.test("parseFlags() refuses a word too many and a flag without its value", () => {
  assertThrows(() => parseFlags(["a", "b"], SPEC), MisuseError, `Cannot use "b"`);
  assertThrows(() => parseFlags(["--table"], SPEC), MisuseError, "needs a value");
});
