/**
 * The least permissions each stage runs with: the native set-up and the Dockerfile use this one table.
 * Known gap: a native addon is outside Deno's permissions once it is loaded. Only those of the npm cache
 * can be, which a stage cannot write to and whose packages deno.lock pins.
 */
import { BASE_PORTS, type StageName } from "../../contracts/services.ts";
import { catalogAddress } from "../../runtime/env.ts";
import { layoutOf } from "./layout.ts";
import type { Place } from "./place.ts";
import { runsCatalog, runsKafka } from "./ownership.ts";

/** What a stage may do, apart from paths and addresses. */
export interface StageNeeds {
  /** Environment variables it reads; a trailing `*` is Deno's own wildcard. */
  env: readonly string[];
  /** Names of system information. */
  sys: readonly string[];
  /** Files it reads besides its configuration and data. */
  reads?: readonly string[];
  /** Loads a native addon from the npm cache. */
  ffi: boolean;
  /** Keys of the data folder's layout that it writes. */
  writes: readonly ("spool" | "warehouse")[];
  /** V8's heap in MiB: small heaps collect earlier, and a leak is an exit instead of a full machine. */
  heapMb: number;
  /** Each half of V8's young generation in MiB; V8's own choice grows to 16. What is left there holds on to large buffers. */
  youngMb?: number;
}

// Read by npm packages at load: kafkajs its own switches, the rest by Node's and DuckDB's loaders.
const COMMON_ENV = ["PIPELINE_*", "KAFKAJS_*", "NODE_ENV", "NODE_DEBUG"];
/** What the loader of @node-rs/crc32 looks at to find the build for this machine (broker/crc32c_addon.ts). */
const CRC32C_ADDON = { env: [...COMMON_ENV, "NAPI_RS_*"], reads: ["/usr/bin/ldd"], ffi: true };

/** The table. */
export const STAGE_NEEDS: Readonly<Record<StageName, StageNeeds>> = {
  generator: { env: COMMON_ENV, sys: ["hostname", "statfs"], ffi: false, writes: [], heapMb: 192 },
  processor: {
    ...CRC32C_ADDON,
    sys: ["hostname", "statfs"],
    writes: [],
    heapMb: 384,
    youngMb: 4,
  },
  sink: {
    ...CRC32C_ADDON,
    sys: ["hostname", "statfs"],
    writes: ["spool", "warehouse"],
    heapMb: 384,
    youngMb: 4,
  },
};

/** Where a stage may connect, read and write. */
export interface StageReach {
  /** `host` or `host:port`; empty: anywhere. */
  net: readonly string[];
  read: readonly string[];
  write: readonly string[];
  /** Where native addons may lie. */
  npmCache: string;
}

/** V8's share of the flags. */
export function v8Flags({ heapMb, youngMb }: StageNeeds): string {
  const young = youngMb === undefined ? "" : `,--max-semi-space-size=${youngMb}`;
  return `--v8-flags=--max-old-space-size=${heapMb}${young}`;
}

/** The flags of `deno run`, in a fixed order. */
export function denoFlags(needs: StageNeeds, reach: StageReach): string[] {
  return [
    v8Flags(needs),
    "--no-prompt",
    reach.net.length === 0 ? "--allow-net" : `--allow-net=${reach.net.join(",")}`,
    `--allow-read=${[...reach.read, ...(needs.reads ?? [])].join(",")}`,
    ...(reach.write.length === 0 ? [] : [`--allow-write=${reach.write.join(",")}`]),
    `--allow-env=${needs.env.join(",")}`,
    `--allow-sys=${needs.sys.join(",")}`,
    ...(needs.ffi ? [`--allow-ffi=${reach.npmCache}`] : []),
  ];
}

let npmCache: string | undefined;

/** Where this Deno keeps npm packages. */
function findNpmCache(): string {
  if (npmCache === undefined) {
    const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync();
    npmCache = (JSON.parse(new TextDecoder().decode(stdout)) as { npmCache: string }).npmCache;
  }
  return npmCache;
}

/** The flags of a stage at a place. */
export function stageFlags(place: Place, name: StageName): string[] {
  const needs = STAGE_NEEDS[name];
  const { dataDir, configDir } = place.environment;
  const writable = layoutOf(dataDir);
  // A broker of the user's advertises hosts that nobody knows beforehand.
  const net = runsKafka(place)
    ? ["127.0.0.1", ...(runsCatalog(place) ? [] : [catalogHost(place)])]
    : [];
  return denoFlags(needs, {
    net,
    read: [configDir, dataDir],
    write: needs.writes.map((key) => writable[key]),
    npmCache: findNpmCache(),
  });
}

/** The same in compose.yaml, where a test compares it with the commands there. */
export function composeFlags(name: StageName): string[] {
  const needs = STAGE_NEEDS[name];
  const paths = {
    spool: "/var/lib/pipeline/spool",
    warehouse: "/var/lib/warehouse",
  };
  const ownsWarehouse = needs.writes.includes("warehouse");
  return denoFlags(needs, {
    net: [
      `0.0.0.0:${BASE_PORTS[name]}`,
      "kafka:19092",
      ...(ownsWarehouse ? ["catalog:8181"] : []),
    ],
    read: ["/config", "/var/lib/pipeline", ...(ownsWarehouse ? [paths.warehouse] : [])],
    write: needs.writes.map((key) => paths[key]),
    npmCache: "/deno-dir/npm",
  });
}

function catalogHost(place: Place): string {
  return new URL(catalogAddress(place.environment, place.pipeline)).host;
}
