/** Every `deno task query` of the documentation runs, on made-up tables, and ends with 0. */
import { assert, assertEquals } from "@std/assert";
import { restCatalog } from "../../iceberg/catalog/rest.ts";
import { openTestLakehouse, sampleAlerts, sampleTransactions } from "../../query/testing.ts";
import { projectRoot } from "../../runtime/env.ts";
import { startServices } from "../support/services.ts";

const PAGES = ["README.md", "docs/query.md", "query/help.ts"];

/** Commands of a page's shell blocks, of its sentences and tables, or of the help; comments and prompts cut off. */
function commandsOf(text: string): string[] {
  const inSentences = [...text.matchAll(/`(deno task query [^`]+)`/g)].map(([, command]) =>
    command!
  );
  return text.split("\n").map((line) => line.trim()).concat(inSentences)
    .filter((line) => /^([A-Z_]+=\S+ )?deno task (--quiet )?query( |$)/.test(line))
    .filter((line) => !line.includes("[what]"))
    .map((line) => line.replace(/\s+#.*$/, ""))
    // These tables were made a second ago: there is no state of them at a time in the past.
    .map((line) => line.replace(/--as-of-timestamp \S+/, "--as-of-timestamp 2100-01-01T00:00:00Z"));
}

const DEAD_LETTERS = `SELECT 'd' AS dead_letter_id, TIMESTAMPTZ '2026-03-01 10:00:00Z' AS failed_at,
  'schema' AS error_type,
  [{'field': 'amount', 'expected': 'a number', 'actual': 'null'}] AS errors,
  '{}' AS original, 'utf8' AS original_encoding, false AS truncated, 2::BIGINT AS original_bytes,
  'raw-transactions' AS source_topic, 0 AS source_partition, 1::BIGINT AS source_offset`;

const SESSIONS = `SELECT 's' AS session_id, 'sink' AS stage,
  TIMESTAMPTZ '2026-03-01 10:00:00Z' AS start_timestamp,
  TIMESTAMPTZ '2026-03-01 11:00:00Z' AS end_timestamp,
  ${
  ["generated", "published", "processed", "stored", "alerts_generated", "dead_lettered"]
    .map((name) => `1::BIGINT AS ${name}`).join(", ")
}, 1.5::DOUBLE AS rate_per_second, 1.0::DOUBLE AS latency_p50_ms, 2.0::DOUBLE AS latency_p95_ms,
  3.0::DOUBLE AS latency_p99_ms`;

Deno.test("every documented query runs", async () => {
  const services = await startServices({ kafka: false, fresh: true });
  const { catalog: uri, warehouse, dir } = services;
  const lakehouse = await openTestLakehouse({ catalog: restCatalog({ uri }), warehouse });
  try {
    const rows = sampleTransactions({
      first: 0,
      count: 2000,
      start: "2026-03-01T00:00:00Z",
      stepSeconds: 60,
      accounts: 20,
    });
    await lakehouse.append("transactions", rows);
    await lakehouse.append("alerts", sampleAlerts(rows));
    await lakehouse.append("dead_letters", DEAD_LETTERS);
    await lakehouse.append("pipeline_sessions", SESSIONS);
    await Deno.writeTextFile(`${dir}/totals.sql`, "SELECT sum(amount) FROM transactions;\n");
    // As a user's shell would have it: `deno` is the one that runs this test.
    await Deno.symlink(Deno.execPath(), `${dir}/deno`);
    const env = {
      PIPELINE_CATALOG_URI: uri,
      PIPELINE_CATALOG_WAREHOUSE: warehouse,
      PIPELINE_DATA_DIR: `${dir}/data`,
      INIT_CWD: dir,
      PATH: `${dir}:${Deno.env.get("PATH")}`,
    };
    const texts = await Promise.all(
      PAGES.map((page) => Deno.readTextFile(`${projectRoot}/${page}`)),
    );
    const commands = [...new Set(texts.flatMap(commandsOf))];
    assert(commands.length >= 35, `only ${commands.length} commands were found`);
    for (const command of commands) {
      const { code, stdout, stderr } = await new Deno.Command("bash", {
        args: ["--norc", "-c", command],
        cwd: projectRoot,
        env,
        stdin: "null",
      }).output();
      const said = new TextDecoder().decode(stderr);
      assertEquals(code, 0, `${command}\n${said}`);
      // Elsewhere, today, and at a prompt without input there may be nothing to say.
      if (/ -o |--interactive|today|yesterday| -\d+[dhm]/.test(command)) continue;
      assert(stdout.length > 0, `${command}\n${said}`);
    }
  } finally {
    await lakehouse.close();
    await services.stop();
  }
});
