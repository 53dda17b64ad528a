/** The rule engine: pure, imports contracts only. */
export * from "./compile.ts";
export * from "./engine.ts";
export * from "./values/facts.ts";
export * from "./naive.ts";
export * from "./registry.ts";
export * from "./rule_file.ts";
export * from "./rule_type.ts";
export * from "./version.ts";
export * from "./state_change.ts";
