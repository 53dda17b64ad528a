/** `deno task replay`: puts recorded transactions into the raw topic. */
import { createKafkaBroker } from "../broker/kafka.ts";
import { UnknownTopicError } from "../broker/port.ts";
import { EXIT, MisuseError, ServiceUnreachableError } from "../contracts/errors.ts";
import { systemClock } from "../generator/clock.ts";
import { restCatalog } from "../iceberg/catalog/rest.ts";
import {
  brokerAddresses,
  catalogAddress,
  readEnvironment,
  resolveCallerPath,
} from "../runtime/env.ts";
import { readPipelineConfig } from "../runtime/pipeline_config.ts";
import { parseFlags, runTask } from "./cli.ts";
import { parseRate, parseTimeout, parseWait } from "./replay/options.ts";
import { createProgressBar } from "./replay/progress.ts";
import { printReport } from "./replay/report.ts";
import { replay, type ReplayOptions, succeeded } from "./replay/run.ts";
import { openSource, sourceSize } from "./replay/source.ts";

const HELP = `deno task replay FILE.ndjson … [--rate N|max] [--retime] [--wait stored]

Puts recorded transactions, one JSON object a line, into the raw topic. Bytes go as they are, malformed
lines too; the key is account_id where it can be read. - reads standard input; gzip is recognised.

  --rate N|max     lines per second (max)
  --retime         shift all timestamps so that the last is now
  --wait WHAT      sent (default): acknowledged by Kafka
                   processed: each line came out as a transaction or a dead letter
                   stored: and the tables have committed it, alerts included
  --timeout TIME   how long to wait once all is sent: 90s, 10m (default), 1h
  --json           print the result as one JSON document

Exit codes: 0 fine, 1 timed out, a line too long to send or counted twice, 2 misuse, 3 unreachable.`;

/** How long Kafka may be silent before a try counts as failed. */
const UNREACHABLE_MS = 8_000;

/** Standard input can be read once; two passes need a file. */
async function spoolStdin(): Promise<string> {
  const path = await Deno.makeTempFile({ prefix: "replay_" });
  const file = await Deno.open(path, { write: true });
  await Deno.stdin.readable.pipeTo(file.writable);
  return path;
}

async function run(options: ReplayOptions, json: boolean): Promise<number> {
  const bar = createProgressBar();
  try {
    const result = await replay({ ...options, onProgress: (progress) => bar.draw(progress) });
    bar.clear();
    console.log(json ? JSON.stringify(result) : printReport(result).join("\n"));
    return succeeded(result) ? EXIT.ok : EXIT.no;
  } catch (error) {
    bar.clear();
    if (options.signal.aborted) {
      console.error("interrupted; what was sent stays sent");
      return EXIT.interrupted;
    }
    if (error instanceof UnknownTopicError) {
      throw new ServiceUnreachableError(
        "kafka",
        `${error.message}; deno task up creates the topics`,
        { cause: error },
      );
    }
    throw error;
  }
}

await runTask(HELP, async (args) => {
  const flags = parseFlags(args, {
    boolean: ["json", "retime"],
    string: ["rate", "wait", "timeout"],
    wordsMax: 1000,
  });
  if (flags._.length === 0) throw new MisuseError("Cannot replay nothing: name a file, or -");
  if (flags._.filter((word) => word === "-").length > 1) {
    throw new MisuseError("Cannot read standard input twice");
  }
  const text = (name: string) => flags[name] as string | undefined;
  const rate = parseRate(text("rate"));
  const wait = parseWait(text("wait"));
  const timeoutMs = parseTimeout(text("timeout"));
  const retime = flags.retime === true;
  // Before anything is sent: the third of three files must not be missed after the second.
  for (const word of flags._) await sourceSize(word === "-" ? word : resolveCallerPath(word));
  const environment = readEnvironment();
  const config = await readPipelineConfig(environment);
  const interrupted = new AbortController();
  Deno.addSignalListener("SIGINT", () => interrupted.abort());
  const broker = createKafkaBroker({
    brokers: brokerAddresses(environment, config),
    clientId: "replay",
    deadlineMs: UNREACHABLE_MS,
  });
  const { token, credential, warehouse } = config.catalog;
  const catalog = restCatalog({
    uri: catalogAddress(environment, config),
    ...(warehouse === undefined ? {} : { warehouse }),
    ...(token === undefined ? {} : { token }),
    ...(credential === undefined ? {} : { credential }),
  });
  const spooled = retime && flags._.includes("-") ? await spoolStdin() : undefined;
  const sources = flags._.map((word) => {
    const path = word === "-" ? spooled ?? "-" : resolveCallerPath(word);
    return { name: word, open: () => openSource(path) };
  });
  try {
    return await run({
      broker,
      catalog,
      topics: config.kafka.topics,
      clock: systemClock,
      sources,
      rate,
      retime,
      wait,
      timeoutMs,
      onProgress: () => {},
      signal: interrupted.signal,
    }, flags.json === true);
  } finally {
    if (spooled !== undefined) await Deno.remove(spooled);
    await broker.close();
  }
});
