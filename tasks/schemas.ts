/** `deno task schemas`: writes docs/schemas/*.json from the zod schemas. */
import { jsonSchemas } from "../contracts/json_schemas.ts";

const folder = new URL("../docs/schemas/", import.meta.url);
await Deno.mkdir(folder, { recursive: true });
for (const [name, schema] of Object.entries(jsonSchemas())) {
  await Deno.writeTextFile(new URL(`${name}.json`, folder), JSON.stringify(schema, null, 2) + "\n");
}
