/**
 * How crash suites of processor and sink end: everything is stored by the real sink, and `deno task audit`, with every
 * value compared, has the last word. It shares no code with the stages, nor with what a suite checks by itself.
 */
import { assertEquals } from "@std/assert";
import type { Broker } from "../../broker/port.ts";
import { NAMESPACE } from "../../contracts/services.ts";
import { type ConsumedOffsets, OFFSETS_PROPERTY, TABLES } from "../../contracts/tables.ts";
import { TOPIC_NAMES_DEFAULT } from "../../contracts/topics.ts";
import { NoSuchNamespaceError, NoSuchTableError } from "../../iceberg/catalog/errors.ts";
import { restCatalog } from "../../iceberg/catalog/rest.ts";
import { loadTable } from "../../iceberg/commit/table.ts";
import { projectRoot } from "../../runtime/env.ts";
import { join } from "../../runtime/path.ts";
import { sleep } from "../../runtime/retry.ts";
import { ensureJars } from "../../tasks/native/jars.ts";
import { startCatalog } from "../support/services.ts";

const STORE_MS_MAX = 180_000;

/** Figures of the audit's JSON that suites look at. */
export interface AuditTotal {
  raw: number;
  stored: number;
  dead_lettered: number;
  alerts: number;
  unjudged: number;
  unstored: number;
}

/** Stores what the processor's suites left in the topics, then audits; `env` is the processor's. */
export async function assertAuditedEnd(
  broker: Broker,
  env: Record<string, string>,
): Promise<AuditTotal> {
  const dir = await Deno.makeTempDir({ prefix: "audited_end_" });
  const warehouse = join(dir, "warehouse");
  const catalog = await startCatalog(await ensureJars(), { dir, warehouse });
  const own = {
    ...env,
    PIPELINE_DATA_DIR: join(dir, "data"),
    PIPELINE_CONFIG_DIR: join(dir, "config"),
    PIPELINE_CATALOG_URI: catalog.url,
    PIPELINE_CATALOG_WAREHOUSE: warehouse,
  };
  try {
    await Deno.mkdir(own.PIPELINE_CONFIG_DIR);
    await Deno.writeTextFile(
      join(own.PIPELINE_CONFIG_DIR, "pipeline.yaml"),
      "sink: { commit_interval_ms: 300 }\n",
    );
    await storeAll(broker, own);
    return await assertAudited(own);
  } finally {
    await catalog.kill();
    await Deno.remove(dir, { recursive: true });
  }
}

async function storeAll(broker: Broker, env: Record<string, string>): Promise<void> {
  const sink = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", join(projectRoot, "sink", "main.ts")],
    env,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  try {
    await untilStored(broker, env.PIPELINE_CATALOG_URI!);
  } finally {
    sink.kill("SIGTERM");
    await sink.status;
  }
}

/** Resolves when each table has read its topic to the end; the deadline only ends a suite that would hang. */
export async function untilStored(broker: Broker, catalogUri: string): Promise<void> {
  const deadline = performance.now() + STORE_MS_MAX;
  for (const name of ["transactions", "alerts", "dead_letters"] as const) {
    const topic = TOPIC_NAMES_DEFAULT[TABLES[name].source];
    while (!await hasRead(catalogUri, name, await broker.offsets(topic))) {
      if (performance.now() > deadline) throw new Error(`Cannot see "${name}" read its topic`);
      await sleep(100);
    }
  }
}

async function hasRead(
  uri: string,
  name: "transactions" | "alerts" | "dead_letters",
  ends: readonly { partition: number; stable: number }[],
): Promise<boolean> {
  try {
    const { metadata } = await loadTable(restCatalog({ uri }), { namespace: [NAMESPACE], name });
    const text = metadata.properties[OFFSETS_PROPERTY] ?? '{"topics":{}}';
    const { topics } = JSON.parse(text) as ConsumedOffsets;
    const next = topics[TOPIC_NAMES_DEFAULT[TABLES[name].source]]?.next ?? {};
    return ends.every(({ partition, stable }) =>
      stable === 0 || Number(next[partition] ?? 0) >= stable
    );
  } catch (error) {
    if (error instanceof NoSuchTableError || error instanceof NoSuchNamespaceError) return false;
    throw error;
  }
}

/** `deno task audit --full` says clean, with nothing in flight. */
export async function assertAudited(env: Record<string, string>): Promise<AuditTotal> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "audit", "--full", "--json"],
    env: { ...env, NO_COLOR: "1" },
    cwd: projectRoot,
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  assertEquals(code, 0, `the audit says:\n${text}${new TextDecoder().decode(stderr)}`);
  const { verdict, total } = JSON.parse(text) as { verdict: string; total: AuditTotal };
  assertEquals(verdict, "clean");
  assertEquals([total.unjudged, total.unstored], [0, 0], "nothing is in flight");
  assertEquals(total.stored + total.dead_lettered, total.raw);
  return total;
}
