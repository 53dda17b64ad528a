/**
 * Command lines and settings of the two Java programs. Pure: they depend on their arguments only. Used by
 * `deno task up` and by the tests' own services, so both run the very same broker and catalog.
 */
import type { Jars } from "./jars.ts";
import { join } from "../../runtime/path.ts";

/** Where a broker listens and keeps its log. */
export interface KafkaPlace {
  /** Port for clients on 127.0.0.1. */
  port: number;
  /** Port of the KRaft controller on 127.0.0.1. */
  controllerPort: number;
  /** Folder of the log, formatted once. */
  dataDir: string;
}

/** Where a catalog listens and keeps its tables. */
export interface CatalogPlace {
  port: number;
  /** Absolute path, without scheme: tables then hold plain paths, which every reader takes. */
  warehouse: string;
  /** Path of the SQLite file. */
  database: string;
  /** Existing folder for unpacked native libraries, see {@linkcode kafkaCommand}. */
  temp: string;
}

// Small programs that live long: C1 alone starts faster and keeps the code cache and the compiler's
// memory small; the serial collector spares the parallel one's threads.
const JVM = [
  "-XX:TieredStopAtLevel=1",
  "-XX:+UseSerialGC",
  "-XX:MaxMetaspaceSize=128m",
  "-XX:+ExitOnOutOfMemoryError",
  "-Djava.net.preferIPv4Stack=true",
  "-XX:-UsePerfData",
  "-Djava.awt.headless=true",
  "-Dorg.slf4j.simpleLogger.logFile=System.out",
  "-Dorg.slf4j.simpleLogger.showDateTime=true",
  "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
];

/** Heap of the broker in MiB; the compose file gives the same. */
export const KAFKA_HEAP_MB = 256;
/** Heap of the catalog in MiB; the compose file gives the same. */
export const CATALOG_HEAP_MB = 128;

/**
 * Broker settings that do not depend on where it runs; compose.yaml sets the same ones (a test compares).
 * No group waits for members that will not come; one broker can only replicate once; topics are created
 * by us with their settings, never by a typing error; the cleaner's default buffer is half our heap.
 */
export const KAFKA_SETTINGS: Readonly<Record<string, string>> = {
  "process.roles": "broker,controller",
  "node.id": "1",
  "auto.create.topics.enable": "false",
  "group.initial.rebalance.delay.ms": "0",
  "default.replication.factor": "1",
  "min.insync.replicas": "1",
  "offsets.topic.replication.factor": "1",
  "offsets.topic.num.partitions": "4",
  "transaction.state.log.replication.factor": "1",
  "transaction.state.log.min.isr": "1",
  "transaction.state.log.num.partitions": "4",
  "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
  // After a SIGKILL the broker may not register again before its old session is over (9 s by default),
  // and it asks after 0.1, 0.3, 0.7, 1.5, 3.1 and 6.3 s.
  "broker.session.timeout.ms": "3000",
  "broker.heartbeat.interval.ms": "500",
  "num.network.threads": "2",
  "num.io.threads": "4",
  "background.threads": "2",
  "log.cleaner.dedupe.buffer.size": "16777216",
  "controlled.shutdown.max.retries": "1",
};

/** The text of server.properties for one place. */
export function kafkaProperties(place: KafkaPlace): string {
  const entries: Record<string, string> = {
    ...KAFKA_SETTINGS,
    "controller.quorum.voters": `1@127.0.0.1:${place.controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listeners":
      `PLAINTEXT://127.0.0.1:${place.port},CONTROLLER://127.0.0.1:${place.controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${place.port}`,
    "log.dirs": place.dataDir,
  };
  return Object.entries(entries).map(([key, value]) => `${key}=${value}\n`).join("");
}

/** A KRaft cluster id from 16 random bytes: base64url; never with a leading "-", which reads as a flag. */
export function clusterId(random: Uint8Array): string {
  const text = btoa(String.fromCharCode(...random.subarray(0, 16)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "").replace(/^-/, "A");
}

/** Formats the folder named in the properties file; a folder already formatted is left alone. */
export function kafkaFormatCommand(jars: Jars, properties: string, id: string): string[] {
  const tool = ["kafka.tools.StorageTool", "format", "--ignore-formatted"];
  return ["java", ...JVM, "-cp", join(jars.kafka, "*"), ...tool, "-t", id, "-c", properties];
}

/**
 * Runs the broker, logging to its standard output. Native libraries are unpacked into `temp`, which must
 * exist: in the system's temp folder each SIGKILL would leave a copy behind.
 */
export function kafkaCommand(jars: Jars, properties: string, temp: string): string[] {
  const heap = ["-Xms64m", `-Xmx${KAFKA_HEAP_MB}m`, `-Djava.io.tmpdir=${temp}`];
  // KafkaConfig prints 300 lines of values at each start and at each topic change.
  const quiet = [
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaConfig=warn",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config.AbstractConfig=warn",
  ];
  return [
    "java",
    ...heap,
    ...JVM,
    ...quiet,
    "-cp",
    join(jars.kafka, "*"),
    "kafka.Kafka",
    properties,
  ];
}

/** Runs the catalog, logging to its standard output. `xml` is jetty.xml beside the catalog's pom. */
export function catalogCommand(jars: Jars, xml: string, place: CatalogPlace): string[] {
  return [
    "java",
    "-Xms16m",
    `-Xmx${CATALOG_HEAP_MB}m`,
    `-Djava.io.tmpdir=${place.temp}`,
    ...JVM,
    "-cp",
    join(jars.catalog, "*"),
    "org.eclipse.jetty.xml.XmlConfiguration",
    xml,
    "host=127.0.0.1",
    `port=${place.port}`,
    `warehouse=${place.warehouse}`,
    `db=${place.database}`,
  ];
}
