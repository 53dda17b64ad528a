/** Where a process keeps its data, finds its settings and listens: from the environment (design section 8). */
import { dirname, fromFileUrl, isAbsolute, join, relative, resolve } from "./path.ts";
import { BASE_PORTS, type PortName } from "../contracts/services.ts";
import { MisuseError } from "../contracts/errors.ts";
import type { PipelineConfig } from "../contracts/pipeline_config.ts";

/** Absolute path of the workspace. */
export const projectRoot: string = dirname(dirname(fromFileUrl(import.meta.url)));

/** Highest `PIPELINE_PORT_OFFSET`. */
export const PORT_OFFSET_MAX = 50_000;

/** What the environment says, defaults filled in. */
export interface Environment {
  /** Absolute folder of everything that runs leave behind (`PIPELINE_DATA_DIR`). */
  dataDir: string;
  /** Absolute folder of the *.yaml files (`PIPELINE_CONFIG_DIR`). */
  configDir: string;
  /** Added to every port (`PIPELINE_PORT_OFFSET`). */
  portOffset: number;
  /** Ports with the offset added. */
  ports: Record<PortName, number>;
  /** Address that stages listen on (`PIPELINE_LISTEN`); only containers set it to 0.0.0.0. */
  listen: string;
  /** Salt of masked account ids (`PIPELINE_MASK_SALT`). */
  maskSalt?: string;
  /** Brokers that win over the file's (`PIPELINE_KAFKA_BROKERS`, `host:port,…`). */
  kafkaBrokers?: string[];
  /** Catalog that wins over the file's (`PIPELINE_CATALOG_URI`). */
  catalogUri?: string;
  /** Warehouse that wins over the file's (`PIPELINE_CATALOG_WAREHOUSE`). */
  catalogWarehouse?: string;
}

/** Reads one variable; undefined where it is not set. */
export type GetVariable = (name: string) => string | undefined;

function readPortOffset(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  const offset = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (offset <= PORT_OFFSET_MAX && offset % 100 === 0) return offset;
  throw new MisuseError(
    `Cannot use PIPELINE_PORT_OFFSET "${text}": expected 0 or a multiple of 100 up to ${PORT_OFFSET_MAX}`,
  );
}

function readBrokers(text: string | undefined): string[] | undefined {
  if (text === undefined || text === "") return undefined;
  const brokers = text.split(",").map((broker) => broker.trim());
  const wrong = brokers.find((broker) => !/^[^\s:]+:\d{1,5}$/.test(broker));
  if (wrong === undefined) return brokers;
  throw new MisuseError(
    `Cannot use PIPELINE_KAFKA_BROKERS "${text}": expected host:port, comma-separated, got "${wrong}"`,
  );
}

function readUri(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  if (/^https?:\/\/[^\s]+$/.test(text)) return text.replace(/\/+$/, "");
  throw new MisuseError(`Cannot use PIPELINE_CATALOG_URI "${text}": expected an http(s) address`);
}

/**
 * Resolves a path of a command line or of the environment. Relative ones mean the caller's folder:
 * `deno task` changes to the workspace and leaves the caller's in `INIT_CWD`.
 */
export function resolveCallerPath(
  path: string,
  get: GetVariable = (name) => Deno.env.get(name),
): string {
  return isAbsolute(path) ? resolve(path) : resolve(get("INIT_CWD") ?? Deno.cwd(), path);
}

/**
 * Reads the environment; `get` replaces it in tests.
 *
 * @throws {MisuseError} naming variable, value and expectation.
 */
export function readEnvironment(get: GetVariable = (name) => Deno.env.get(name)): Environment {
  function folder(name: string, byDefault: string): string {
    const path = get(name);
    return path === undefined || path === ""
      ? join(projectRoot, byDefault)
      : resolveCallerPath(path, get);
  }
  const portOffset = readPortOffset(get("PIPELINE_PORT_OFFSET"));
  const maskSalt = get("PIPELINE_MASK_SALT");
  const kafkaBrokers = readBrokers(get("PIPELINE_KAFKA_BROKERS"));
  const catalogUri = readUri(get("PIPELINE_CATALOG_URI"));
  const catalogWarehouse = get("PIPELINE_CATALOG_WAREHOUSE");
  return {
    dataDir: folder("PIPELINE_DATA_DIR", ".data"),
    configDir: folder("PIPELINE_CONFIG_DIR", "config"),
    portOffset,
    ports: Object.fromEntries(
      Object.entries(BASE_PORTS).map(([name, port]) => [name, port + portOffset]),
    ) as Record<PortName, number>,
    listen: get("PIPELINE_LISTEN") || "127.0.0.1",
    ...(maskSalt ? { maskSalt } : {}),
    ...(kafkaBrokers ? { kafkaBrokers } : {}),
    ...(catalogUri ? { catalogUri } : {}),
    ...(catalogWarehouse ? { catalogWarehouse } : {}),
  };
}

/** Addresses of Kafka: environment, then file, then the one that `up` starts. */
export function brokerAddresses(environment: Environment, config: PipelineConfig): string[] {
  return environment.kafkaBrokers ?? config.kafka.brokers ??
    [`127.0.0.1:${environment.ports.kafka}`];
}

/** Address of the REST catalog: environment, then file, then the one that `up` starts. */
export function catalogAddress(environment: Environment, config: PipelineConfig): string {
  return environment.catalogUri ?? config.catalog.uri ??
    `http://127.0.0.1:${environment.ports.catalog}`;
}

/** A path as messages show it: relative inside the workspace, absolute elsewhere. */
export function displayPath(path: string): string {
  const inside = relative(projectRoot, path);
  return inside === "" || inside.startsWith("..") || isAbsolute(inside) ? path : inside;
}
