/** The console with a clock that throws after a while: what an uncaught error leaves of the terminal. */
import process from "node:process";

process.env.NODE_ENV = "production";
process.env.FORCE_COLOR = "1";
const { runConsole } = await import("../../console/run.tsx");
const { TOPIC_NAMES_DEFAULT } = await import("../../contracts/topics.ts");
const { createMemoryBroker } = await import("../../broker/memory.ts");
const { MemoryCatalog } = await import("../../iceberg/catalog/memory.ts");

const [how] = Deno.args;
const began = Date.now();

function clock(): number {
  if (how === "throw" && Date.now() - began > 3000) throw new Error("thrown on purpose");
  return Date.now();
}

if (how === "reject") setTimeout(() => void Promise.reject(new Error("rejected on purpose")), 3000);

const code = await runConsole({
  settings: { readOnly: false, ascii: false, target: "nowhere", verbs: new Set(["up"]) },
  now: clock,
  collect: () => Promise.reject(new Error("nobody there")),
  openBroker: () => createMemoryBroker(),
  openCatalog: () => new MemoryCatalog({ nowMs: Date.now }),
  topics: TOPIC_NAMES_DEFAULT,
  groups: { processor: "processor", sink: "sink" },
  runVerb: () => Promise.resolve({ code: 1, stdout: "", stderr: "" }),
  exportFolder: ".",
});
// As `runTask` does. With Ink loaded, Deno.exitCode is lost at the end.
Deno.exit(code);
