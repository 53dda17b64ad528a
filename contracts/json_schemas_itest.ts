import { assertEquals } from "@std/assert";
import { jsonSchemas } from "./json_schemas.ts";

const folder = new URL("../docs/schemas/", import.meta.url);

Deno.test("docs/schemas holds what the zod schemas say (deno task schemas writes it)", async () => {
  const schemas = jsonSchemas();
  const files = [];
  for await (const { name } of Deno.readDir(folder)) files.push(name.replace(/\.json$/, ""));
  assertEquals(files.sort(), Object.keys(schemas).sort());
  for (const [name, schema] of Object.entries(schemas)) {
    const text = await Deno.readTextFile(new URL(`${name}.json`, folder));
    assertEquals(JSON.parse(text), JSON.parse(JSON.stringify(schema)), name);
  }
});
