/** `deno task audit`: was anything lost, doubled or misjudged? Exit 0 no, 1 yes, 2 misuse, 3 unreachable. */
import { audit } from "../audit/run.ts";
import { printReport, reportJson } from "../audit/report.ts";
import { parseSince } from "../audit/since.ts";
import { createKafkaBroker } from "../broker/kafka.ts";
import { EXIT, ServiceUnreachableError } from "../contracts/errors.ts";
import { CatalogUnreachableError } from "../iceberg/catalog/errors.ts";
import { restCatalog } from "../iceberg/catalog/rest.ts";
import { localStorage } from "../iceberg/storage/local.ts";
import { brokerAddresses, type Environment, readEnvironment } from "../runtime/env.ts";
import { catalogOptions, warehouseFolder } from "../runtime/lakehouse.ts";
import { readPipelineConfig } from "../runtime/pipeline_config.ts";
import { parseFlags, runTask } from "./cli.ts";

const HELP = `deno task audit [--since T] [--full] [--json]

Reads the raw topic as far back as it goes, the three output topics and the tables, judges every raw
record anew, and says what is missing, doubled or misjudged. Works on a running pipeline too.

  --since T  only raw records that Kafka took from T on: 2026-03-01, 2026-03-01T10:00:00Z, 30m, 24h, 7d
  --full     compare every value of each record and row, not only identity and verdict
  --json     the report as JSON

Exit codes: 0 clean, 1 not clean, 2 misuse, 3 Kafka or catalog unreachable.`;

const BAR_CELLS = 30;
const encoder = new TextEncoder();

/** A bar on a terminal; nothing elsewhere. */
function progressBar(): { show(phase: string, share: number): void; clear(): void } {
  if (!Deno.stderr.isTerminal()) return { show: () => {}, clear: () => {} };
  let last = "";
  return {
    show(phase, share) {
      const full = Math.round(Math.min(1, share) * BAR_CELLS);
      const percent = String(Math.floor(Math.min(1, share) * 100)).padStart(3);
      const line = `${"█".repeat(full)}${"░".repeat(BAR_CELLS - full)} ${percent} % ${phase}`;
      if (line === last) return;
      last = line;
      Deno.stderr.writeSync(encoder.encode(`\r\x1b[2K${line}`));
    },
    clear: () => void Deno.stderr.writeSync(encoder.encode("\r\x1b[2K")),
  };
}

/** Scratch files lie beside the data: a system's temp folder may be memory. */
async function scratchFolder({ dataDir }: Environment): Promise<string> {
  const exists = await Deno.stat(dataDir).then(({ isDirectory }) => isDirectory, () => false);
  return await Deno.makeTempDir({ prefix: "audit_", ...(exists ? { dir: dataDir } : {}) });
}

if (import.meta.main) {
  await runTask(HELP, async (args) => {
    const flags = parseFlags(args, { boolean: ["full", "json"], string: ["since"] });
    const since = flags.since === undefined
      ? {}
      : { sinceMs: parseSince(String(flags.since), Date.now()) };
    const environment = readEnvironment();
    const config = await readPipelineConfig(environment);
    const catalog = catalogOptions(environment, config);
    const broker = createKafkaBroker({
      brokers: brokerAddresses(environment, config),
      clientId: "audit",
    });
    const bar = progressBar();
    const folder = await scratchFolder(environment);
    try {
      const report = await audit({
        broker,
        catalog: restCatalog(catalog),
        storage: localStorage({ roots: [warehouseFolder(environment, config)] }),
        topics: config.kafka.topics,
        folder,
        full: flags.full === true,
        ...since,
        onProgress: bar.show,
      });
      bar.clear();
      console.log(
        flags.json === true ? JSON.stringify(reportJson(report), null, 2) : printReport(report),
      );
      return report.clean ? EXIT.ok : EXIT.no;
    } catch (error) {
      bar.clear();
      if (!(error instanceof CatalogUnreachableError)) throw error;
      throw new ServiceUnreachableError(
        "catalog",
        `Cannot reach the catalog at ${catalog.uri}: is the pipeline up? (deno task up)`,
        { cause: error },
      );
    } finally {
      await broker.close();
      await Deno.remove(folder, { recursive: true });
    }
  });
}
