import { assert, assertEquals } from "@std/assert";
import * as port from "./port.ts";

Deno.test("every error class of the port has a name of its own, keeps its cause and is an Error", () => {
  const cause = new Error("cause");
  const names: string[] = [];
  for (const [exported, value] of Object.entries(port)) {
    // deno-lint-ignore no-explicit-any -- constructors differ in their arguments
    const ErrorClass = value as any;
    const error = ErrorClass === port.OffsetOutOfRangeError
      ? new port.OffsetOutOfRangeError("t", 1, 2, { cause })
      : new ErrorClass("text", { cause });
    assert(error instanceof Error);
    assertEquals(error.name, exported);
    assertEquals(error.cause, cause);
    names.push(error.name);
  }
  assertEquals(new Set(names).size, names.length);
  assert(names.length >= 5);
});
