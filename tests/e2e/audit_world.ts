/** A small pipeline whose data may be damaged: real Kafka and catalog, real processor and sink, then at rest. */
import { DuckDBInstance } from "@duckdb/node-api";
import { audit, type AuditOptions } from "../../audit/run.ts";
import type { AuditReport } from "../../audit/report.ts";
import { createKafkaBroker } from "../../broker/kafka.ts";
import type { Broker } from "../../broker/port.ts";
import { HEADER_TRACE } from "../../contracts/headers.ts";
import { NAMESPACE } from "../../contracts/services.ts";
import { type TableName, TABLES } from "../../contracts/tables.ts";
import { TOPIC_NAMES_DEFAULT, topicSpecs } from "../../contracts/topics.ts";
import type { Catalog } from "../../iceberg/catalog/port.ts";
import { restCatalog } from "../../iceberg/catalog/rest.ts";
import { loadTable, type Table } from "../../iceberg/commit/table.ts";
import { type PlannedFile, planScan } from "../../iceberg/scan/plan.ts";
import { localStorage } from "../../iceberg/storage/local.ts";
import type { Storage } from "../../iceberg/storage/port.ts";
import { projectRoot } from "../../runtime/env.ts";
import { join } from "../../runtime/path.ts";
import { freePortOffset } from "../support/ports.ts";
import { startServices, type TestServices } from "../support/services.ts";

/** Partitions of every topic. */
export const PARTITIONS = 2;

/** Topic names in use. */
export const TOPICS = TOPIC_NAMES_DEFAULT;

const encoder = new TextEncoder();

/** What a command said. */
export interface CliResult {
  code: number;
  text: string;
}

/** A row of a table, and where it lies. */
export interface Victim {
  partition: number;
  offset: number;
  transactionId: string;
}

/** The pipeline. */
export class AuditWorld {
  readonly services: TestServices;
  readonly broker: Broker;
  readonly catalog: Catalog;
  readonly storage: Storage;
  readonly env: Record<string, string>;
  readonly #stages: Deno.ChildProcess[] = [];

  private constructor(services: TestServices) {
    this.services = services;
    this.broker = createKafkaBroker({ brokers: [services.kafka], clientId: "audit-test" });
    this.catalog = restCatalog({ uri: services.catalog });
    this.storage = localStorage({ roots: [services.warehouse] });
    this.env = {
      PIPELINE_DATA_DIR: join(services.dir, "data"),
      PIPELINE_CONFIG_DIR: join(services.dir, "config"),
      PIPELINE_PORT_OFFSET: String(freePortOffset()),
      PIPELINE_KAFKA_BROKERS: services.kafka,
      PIPELINE_CATALOG_URI: services.catalog,
      PIPELINE_CATALOG_WAREHOUSE: services.warehouse,
      NO_COLOR: "1",
    };
  }

  /** Starts Kafka and catalog, makes the topics, starts processor and sink. */
  static async start(): Promise<AuditWorld> {
    const world = new AuditWorld(await startServices({ fresh: true }));
    try {
      const { PIPELINE_CONFIG_DIR: config, PIPELINE_DATA_DIR: data } = world.env;
      await Deno.mkdir(config!);
      await Deno.mkdir(data!);
      await Deno.copyFile(
        join(projectRoot, "config", "alerting-rules.yaml"),
        join(config!, "alerting-rules.yaml"),
      );
      const settings = { kafka: { partitions: PARTITIONS }, sink: { commit_interval_ms: 500 } };
      await Deno.writeTextFile(join(config!, "pipeline.yaml"), JSON.stringify(settings));
      await world.broker.createTopics(topicSpecs(TOPICS, PARTITIONS));
      for (const stage of ["processor", "sink"]) world.#spawn(stage);
      return world;
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  #spawn(stage: string): void {
    this.#stages.push(
      new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", join(projectRoot, stage, "main.ts")],
        env: this.env,
        stdin: "null",
        stdout: "null",
        stderr: "inherit",
      }).spawn(),
    );
  }

  /** Appends raw records to a partition. */
  async produce(partition: number, values: readonly string[]): Promise<void> {
    await this.append(TOPICS.raw, partition, values.map((value) => ({ value })));
  }

  /** Appends records to any topic; outputs carry a trace. */
  async append(
    topic: string,
    partition: number,
    records: readonly { value: string; trace?: string }[],
  ): Promise<void> {
    const writer = await this.broker.openWriter();
    const traces = records.map(({ trace }) => encoder.encode(trace ?? ""));
    await writer.send([{
      topic,
      partition,
      batch: {
        keys: records.map(() => null),
        values: records.map(({ value }) => encoder.encode(value)),
        ...(records[0]?.trace === undefined
          ? {}
          : { headers: [{ name: HEADER_TRACE, values: traces }] }),
      },
    }]);
    await writer.close();
  }

  /** Edits the rules; the processor takes them up by itself. */
  async editRules(edit: (text: string) => string): Promise<void> {
    const path = join(this.env.PIPELINE_CONFIG_DIR!, "alerting-rules.yaml");
    await Deno.writeTextFile(path, edit(await Deno.readTextFile(path)));
  }

  /** Waits until an audit says so; the deadline only ends a test that would hang. */
  async until(what: string, done: (report: AuditReport) => boolean): Promise<void> {
    const deadline = performance.now() + 90_000;
    for (;;) {
      const report = await this.audit().catch(() => undefined); // tables and topics may not be there yet
      if (report !== undefined && done(report)) return;
      if (performance.now() > deadline) {
        throw new Error(`Cannot see that ${what}: ${JSON.stringify(report?.total)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }

  /** Ends processor and sink in order; what they stored is at rest from here on. */
  async rest(): Promise<void> {
    for (const stage of this.#stages) stage.kill("SIGTERM");
    await Promise.all(this.#stages.splice(0).map((stage) => stage.status));
  }

  /** Runs an audit in this process. */
  async audit(options: Partial<AuditOptions> = {}): Promise<AuditReport> {
    const folder = await Deno.makeTempDir({ dir: this.services.dir });
    try {
      const { broker, catalog, storage } = this;
      return await audit({ broker, catalog, storage, topics: TOPICS, folder, ...options });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }

  /** Runs `deno task audit` as a user would. */
  async cli(args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "audit", ...args],
      env: { ...this.env, ...env },
      cwd: projectRoot,
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
  }

  /** A table as it is now. */
  table(name: TableName): Promise<Table> {
    return loadTable(this.catalog, { namespace: [NAMESPACE], name });
  }

  /** Rows of a query in which `t` is the table. */
  async rows<Row>(name: TableName, sql: string): Promise<Row[]> {
    const { metadata } = await this.table(name);
    const { files } = await planScan(metadata, this.storage);
    return await runSql<Row>(
      `WITH t AS (FROM read_parquet([${files.map((file) => this.#sqlPath(file)).join(", ")}]))
        ${sql}`,
    );
  }

  #sqlPath({ path }: PlannedFile): string {
    return `'${this.storage.localPath!(path)}'`;
  }

  /** The file that holds a row, with its statistics. */
  async fileOf(name: TableName, { partition, offset }: Victim): Promise<PlannedFile> {
    const { metadata } = await this.table(name);
    const { files } = await planScan(metadata, this.storage, { allStats: true });
    for (const file of files) {
      const rows = await runSql(
        `SELECT 1 FROM read_parquet(${this.#sqlPath(file)})
          WHERE source_partition = ${partition} AND source_offset = ${offset}`,
      );
      if (rows.length > 0) return file;
    }
    throw new Error(`Cannot find the row ${partition}/${offset} in "${name}"`);
  }

  /** Writes a file anew from a query in which `t` is the file's present content. */
  async writeFrom(name: TableName, file: PlannedFile, sql: string, path: string): Promise<void> {
    const ids = TABLES[name].columns.filter(({ type }) => typeof type === "string")
      .map(({ name: column, id }) => `"${column}": ${id}`);
    const source = this.#sqlPath(file);
    await runSql(`COPY (WITH t AS (FROM read_parquet(${source})) ${sql}) TO '${path}'
      (FORMAT parquet, COMPRESSION zstd, FIELD_IDS {${ids.join(", ")}})`);
  }

  /** Damages a file behind everybody's back; returns how to undo it. */
  async damageFile(name: TableName, victim: Victim, sql: string): Promise<() => Promise<void>> {
    const file = await this.fileOf(name, victim);
    const path = this.storage.localPath!(file.path);
    const before = await Deno.readFile(path);
    const changed = join(this.services.dir, "changed.parquet");
    await this.writeFrom(name, file, sql, changed);
    await Deno.copyFile(changed, path);
    return () => Deno.writeFile(path, before);
  }

  async stop(): Promise<void> {
    for (const stage of this.#stages) stage.kill("SIGKILL");
    await Promise.all(this.#stages.splice(0).map((stage) => stage.status));
    await this.broker.close();
    await this.services.stop();
  }
}

/** Runs one statement on a DuckDB of its own. */
export async function runSql<Row = Record<string, unknown>>(sql: string): Promise<Row[]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    const reader = await connection.runAndReadAll(sql);
    return reader.getRowObjectsJson() as Row[];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

// ---- Records -------------------------------------------------------------------------------------------

const NOON_MS = Date.UTC(2026, 0, 10, 12);

/**
 * Raw values of a partition: mostly fine, with high amounts, a burst of one account, night hours, damaged
 * records and repeated ids at places that the index tells.
 */
export function rawValues(partition: number, from: number, count: number): string[] {
  return Array.from({ length: count }, (_, n) => rawValue(partition, from + n));
}

function rawValue(partition: number, index: number): string {
  if (index % 41 === 5) return `{"transaction_id": "broken`;
  const repeated = index % 61 === 60;
  const burst = index % 100 >= 70 && index % 100 < 77;
  const night = index % 50 === 49;
  const ms = night ? NOON_MS + 14.5 * 3_600_000 : NOON_MS + (burst ? index : index * 20) * 1000;
  const value = {
    transaction_id: transactionId(partition, repeated ? index - 1 : index),
    timestamp: new Date(ms).toISOString(),
    account_id: burst ? `BURST${partition}` : `ACC${partition}${index % 20}`,
    amount: index % 37 === 0 ? 20_000.5 : (index % 900) + 0.25,
    currency: index % 43 === 7 ? "ZZZ" : "EUR",
    merchant_name: `Händler "${index % 7}"`,
    merchant_category: "retail",
    transaction_type: "purchase",
    location_country: "DE",
    status: "completed",
    // Extra fields are carried along, and a space makes the text one that JavaScript would print otherwise.
    ...(index % 11 === 0 ? { device: { id: index } } : {}),
  };
  const text = JSON.stringify(value);
  return index % 13 === 0 ? text.replace(",", ", ") : text;
}

function transactionId(partition: number, index: number): string {
  return `0000000${partition}-0000-4000-8000-${String(index).padStart(12, "0")}`;
}
