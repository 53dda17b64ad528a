/**
 * npm:yaml under the alias `@std/yaml` (JSR cannot be reached where this is built), made to run without
 * any permission: its Node build asks `process.env` for two debugging switches on every parse, which
 * Deno would refuse to a pure function's caller (eemeli/yaml, src/parse/parser.ts and src/compose/composer.ts).
 * The switches read as "not set"; every other variable is looked up as before.
 */
import process from "node:process";

const SWITCHES: ReadonlySet<PropertyKey> = new Set(["LOG_TOKENS", "LOG_STREAM"]);

const env = process.env;
// Over an empty target: over `env` itself the proxy invariants would ask it for the switch again.
process.env = new Proxy<NodeJS.ProcessEnv>({}, {
  get: (_, name) => SWITCHES.has(name) ? undefined : Reflect.get(env, name),
  set: (_, name, value) => Reflect.set(env, name, value),
  has: (_, name) => Reflect.has(env, name),
  deleteProperty: (_, name) => Reflect.deleteProperty(env, name),
  ownKeys: () => Reflect.ownKeys(env),
  getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(env, name),
});

export * from "yaml";
