/**
 * A real Kafka and a real Iceberg REST catalog for suites, on free ports in a temp folder. Under
 * `deno task test` they run already (TEST_KAFKA, TEST_CATALOG, TEST_WAREHOUSE) and are shared: suites then
 * use topic names, namespaces and transactional ids of their own.
 */
import { ensureJars, type Jars, NATIVE_DIR } from "../../tasks/native/jars.ts";
import {
  catalogCommand,
  clusterId,
  kafkaCommand,
  kafkaFormatCommand,
  kafkaProperties,
} from "../../tasks/native/java.ts";
import { catalogReady, kafkaReady } from "../../tasks/native/ready.ts";
import { join } from "../../runtime/path.ts";

const START_MS_MAX = 60_000;
const POLL_MS = 50;
const STARTS_MAX = 3;

/** Services of a suite. */
export interface TestServices {
  /** `host:port`; empty when not asked for. */
  kafka: string;
  /** `http://127.0.0.1:port`; empty when not asked for. */
  catalog: string;
  /** Absolute path of the catalog's warehouse. */
  warehouse: string;
  /** A temp folder that goes away with the services. */
  dir: string;
  /** Kills what was started here and removes the folder; nothing when the services are shared. */
  stop(): Promise<void>;
}

/** Options of {@linkcode startServices}. */
export interface StartOptions {
  /** @default {true} */
  kafka?: boolean;
  /** @default {true} */
  catalog?: boolean;
  /**
   * Services of this suite's own, even under `deno task test`: for suites that kill or restart them.
   *
   * @default {false}
   */
  fresh?: boolean;
}

/** One service process; it dies with the process that started it, however that dies. */
export interface ServiceProcess {
  /** Process id of the Java program itself. */
  pid: number;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
}

/**
 * Starts a real Kafka and/or REST catalog on free ports in a temp folder, or hands out the shared ones.
 *
 * @throws {Error} with the end of the service's log when one does not become ready.
 */
export async function startServices(options: StartOptions = {}): Promise<TestServices> {
  const { kafka = true, catalog = true, fresh = false } = options;
  const shared = sharedServices();
  const enough = (!kafka || shared.kafka !== "") && (!catalog || shared.catalog !== "");
  const dir = await Deno.makeTempDir({ prefix: "pipeline_test_" });
  if (enough && !fresh) {
    return { ...shared, dir, stop: () => Deno.remove(dir, { recursive: true }) };
  }
  const jars = await ensureJars();
  const started: ServiceProcess[] = [];
  async function stop(): Promise<void> {
    await Promise.all(started.map((process) => process.kill()));
    await Deno.remove(dir, { recursive: true });
  }
  const warehouse = join(dir, "warehouse");
  try {
    // allSettled, not all: when one fails, stop() must know the other.
    const [broker, rest] = await Promise.allSettled([
      kafka ? withFreshPorts(() => startKafka(jars, { dir: join(dir, "kafka") })) : undefined,
      catalog ? withFreshPorts(() => startCatalog(jars, { dir, warehouse })) : undefined,
    ]);
    for (const result of [broker, rest]) {
      if (result.status === "fulfilled" && result.value !== undefined) started.push(result.value);
    }
    if (broker.status === "rejected") throw broker.reason;
    if (rest.status === "rejected") throw rest.reason;
    const addresses = { kafka: broker.value?.address ?? "", catalog: rest.value?.url ?? "" };
    return { ...addresses, warehouse, dir, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The services that `deno task test` started, empty strings where it did not. */
export function sharedServices(): { kafka: string; catalog: string; warehouse: string } {
  return {
    kafka: Deno.env.get("TEST_KAFKA") ?? "",
    catalog: Deno.env.get("TEST_CATALOG") ?? "",
    warehouse: Deno.env.get("TEST_WAREHOUSE") ?? "",
  };
}

/** Where {@linkcode startKafka} runs; the same folder and ports again is a restart of the same cluster. */
export interface KafkaOptions {
  dir: string;
  /** @default a free port */
  port?: number;
  /** @default a free port */
  controllerPort?: number;
}

/** A broker of one's own. */
export async function startKafka(
  jars: Jars,
  options: KafkaOptions,
): Promise<ServiceProcess & { address: string; port: number; controllerPort: number }> {
  const { dir, port = freePort(), controllerPort = freePort() } = options;
  await Deno.mkdir(dir, { recursive: true });
  const properties = join(dir, "server.properties");
  const text = kafkaProperties({ port, controllerPort, dataDir: join(dir, "data") });
  await Deno.writeTextFile(properties, text);
  if (!await isFormatted(join(dir, "data"))) {
    const id = clusterId(crypto.getRandomValues(new Uint8Array(16)));
    const [program = "", ...args] = kafkaFormatCommand(jars, properties, id);
    const format = await new Deno.Command(program, { args }).output();
    if (!format.success) throw new Error(new TextDecoder().decode(format.stderr));
  }
  const address = `127.0.0.1:${port}`;
  const log = join(dir, "kafka.log");
  const process = await startGuarded(kafkaCommand(jars, properties, dir), log);
  await untilReady("kafka", process, log, async () => await kafkaReady(address) !== undefined);
  return { ...process, address, port, controllerPort };
}

/** Formatting again under another cluster id is refused, even with --ignore-formatted. */
function isFormatted(dataDir: string): Promise<boolean> {
  return Deno.stat(join(dataDir, "meta.properties")).then(() => true, () => false);
}

/** Where {@linkcode startCatalog} runs; the same again is a restart of the same catalog. */
export interface CatalogOptions {
  dir: string;
  warehouse: string;
  /** @default a free port */
  port?: number;
}

/** A catalog of one's own. */
export async function startCatalog(
  jars: Jars,
  options: CatalogOptions,
): Promise<ServiceProcess & { url: string; port: number }> {
  const { dir, warehouse, port = freePort() } = options;
  await Deno.mkdir(warehouse, { recursive: true });
  const place = { port, warehouse, database: join(dir, "catalog.db"), temp: dir };
  const command = catalogCommand(jars, join(NATIVE_DIR, "catalog", "jetty.xml"), place);
  const log = join(dir, "catalog.log");
  const url = `http://127.0.0.1:${port}`;
  const process = await startGuarded(command, log);
  await untilReady("catalog", process, log, () => catalogReady(url));
  return { ...process, url, port };
}

/** A port that is free now. Another process may take it before its use, hence the retry of callers. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = listener.addr.port;
  listener.close();
  return port;
}

async function withFreshPorts<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1;; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (attempt >= STARTS_MAX || !String(error).includes("already in use")) throw error;
    }
  }
}

interface GuardedProcess extends ServiceProcess {
  ended(): boolean;
}

/**
 * The program runs under a shell that waits for the end of its own standard input, which only we hold
 * open: when this process ends, be it by SIGKILL, the shell kills the program. The shell prints its pid.
 */
const GUARD = '"$@" >>"$LOG" 2>&1 </dev/null & echo $!; cat >/dev/null; kill -9 $!';

async function startGuarded(command: string[], log: string): Promise<GuardedProcess> {
  const child = new Deno.Command("sh", {
    args: ["-c", GUARD, "guard", ...command],
    env: { LOG: log },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const pid = Number(new TextDecoder().decode(value).trim());
  await reader.cancel();
  let killed: Promise<void> | undefined;
  return {
    pid,
    ended: () => !processExists(pid),
    kill: () => killed ??= child.stdin.close().then(async () => void await child.status),
  };
}

function processExists(pid: number): boolean {
  try {
    // SIGCONT does nothing to a process that runs; Deno has no signal 0.
    Deno.kill(pid, "SIGCONT");
    return !Deno.readTextFileSync(`/proc/${pid}/stat`).includes(") Z ");
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound || error instanceof TypeError);
  }
}

async function untilReady(
  name: string,
  process: GuardedProcess,
  log: string,
  ready: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + START_MS_MAX;
  while (!await ready()) {
    if (process.ended() || performance.now() > deadline) {
      await process.kill();
      const tail = (await Deno.readTextFile(log)).split("\n").slice(-15).join("\n");
      throw new Error(`Cannot start "${name}" for the tests:\n${tail}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
