/** `deno task status`: is the pipeline healthy? Exit 0 healthy, 1 degraded, 3 unreachable, 2 misuse. */
import { EXIT } from "../contracts/errors.ts";
import type { PipelineStatus } from "../contracts/status.ts";
import { readEnvironment } from "../runtime/env.ts";
import { readPipelineConfig } from "../runtime/pipeline_config.ts";
import { parseFlags, runTask } from "./cli.ts";
import { openCollector } from "./status/collect.ts";
import { printStatus } from "./status/text.ts";

const HELP = `deno task status [--json] [--watch]

  --json    the document of docs/schemas/pipeline-status.json; with --watch one per line
  --watch   again every 2 s, until interrupted

Exit codes: 0 healthy, 1 degraded, 3 unreachable, 2 misuse.`;

const WATCH_MS = 2000;

const CODES: Readonly<Record<PipelineStatus["health"], number>> = {
  healthy: EXIT.ok,
  degraded: EXIT.no,
  unreachable: EXIT.unreachable,
};

function print(status: PipelineStatus, json: boolean, watch: boolean): void {
  if (json) {
    console.log(JSON.stringify(status, null, watch ? 0 : 2));
  } else {
    if (watch && Deno.stdout.isTerminal()) console.log("\x1b[H\x1b[2J");
    console.log(printStatus(status));
  }
}

await runTask(HELP, async (args) => {
  const flags = parseFlags(args, { boolean: ["json", "watch"] });
  const environment = readEnvironment();
  const collector = openCollector(environment, await readPipelineConfig(environment));
  let status = await collector.collect();
  print(status, flags.json === true, flags.watch === true);
  while (flags.watch === true) {
    await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
    status = await collector.collect();
    print(status, flags.json === true, true);
  }
  await collector.close();
  return CODES[status.health];
});
