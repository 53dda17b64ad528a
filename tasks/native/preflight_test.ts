import { assertEquals, assertThrows } from "@std/assert";
import { checkDataFolder, javaMajor } from "./preflight.ts";
import { StartError } from "./service_spec.ts";

Deno.test("javaMajor() reads the versions that vendors print", () => {
  const lines: [string, number | undefined][] = [
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['java version "1.8.0_402"', 8],
    ['openjdk version "21" 2023-09-19', 21],
    ['openjdk version "25-ea" 2025-09-16', 25],
    ["sh: java: not found", undefined],
  ];
  for (const [line, major] of lines) assertEquals(javaMajor(line), major, line);
});

Deno.test("checkDataFolder() refuses a folder that was moved, or that a newer program wrote", () => {
  const known = { schema_version: "1", data_dir: "/a", created_at: "", mode: "native" } as const;
  checkDataFolder(known, "/a");
  assertThrows(() => checkDataFolder(known, "/b"), StartError, 'it was made as "/a"');
  assertThrows(
    () => checkDataFolder({ ...known, schema_version: "2" }, "/a"),
    StartError,
    "schema_version 2",
  );
});
