import { assertEquals, assertThrows } from "@std/assert";
import { MisuseError } from "../contracts/errors.ts";
import { parseSince } from "./since.ts";

const NOW = Date.UTC(2026, 2, 8, 12);

Deno.test("--since takes a day, a moment, or how long ago", () => {
  assertEquals(parseSince("2026-03-01", NOW), Date.UTC(2026, 2, 1));
  assertEquals(parseSince("2026-03-01T10:00:00+02:00", NOW), Date.UTC(2026, 2, 1, 8));
  assertEquals(parseSince("30m", NOW), NOW - 30 * 60_000);
  assertEquals(parseSince("7d", NOW), Date.UTC(2026, 2, 1, 12));
  for (const wrong of ["yesterday", "7", "2026-13-01", "-7d", ""]) {
    assertThrows(() => parseSince(wrong, NOW), MisuseError, "--since");
  }
});
