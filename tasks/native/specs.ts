/** The five services as local processes: commands, environment, readiness. */
import { EXIT } from "../../contracts/errors.ts";
import { NAMESPACE, STAGE_NAMES, type StageName } from "../../contracts/services.ts";
import { brokerAddresses, catalogAddress, projectRoot } from "../../runtime/env.ts";
import { join } from "../../runtime/path.ts";
import { type Jars, NATIVE_DIR } from "./jars.ts";
import {
  catalogCommand,
  clusterId,
  kafkaCommand,
  kafkaFormatCommand,
  kafkaProperties,
} from "./java.ts";
import type { Layout } from "./layout.ts";
import { runsCatalog, runsKafka } from "./ownership.ts";
import type { Place } from "./place.ts";
import { catalogReady, ensureNamespace, kafkaReady, stageAlive, stageReady } from "./ready.ts";
import { type ServiceSpec, StartError } from "./service_spec.ts";
import { GRACE_MS } from "./stop.ts";
import { stageFlags } from "./stage_flags.ts";

/** All services of a place in start order. */
export function serviceSpecs(place: Place, jars: Jars): ServiceSpec[] {
  return [
    kafkaSpec(place, jars),
    catalogSpec(place, jars),
    ...STAGE_NAMES.map((name) => stageSpec(place, name)),
  ];
}

function kafkaSpec(place: Place, jars: Jars): ServiceSpec {
  const { layout, environment } = place;
  const temp = join(layout.temp, "kafka");
  const addresses = brokerAddresses(environment, place.pipeline);
  return {
    name: "kafka",
    command: runsKafka(place) ? kafkaCommand(jars, layout.kafkaProperties, temp) : [],
    env: programEnvironment(),
    address: addresses.join(","),
    graceMs: GRACE_MS.kafka,
    prepare: async () => {
      await emptyFolder(temp);
      await formatStorage(place, jars);
    },
    ready: async () => {
      for (const address of addresses) {
        if (await kafkaReady(address) !== undefined) return { ready: true, reasons: [] };
      }
      return { ready: false, reasons: [`no broker answers on ${addresses.join(", ")}`] };
    },
    settle: () => createTopics(place),
  };
}

function catalogSpec(place: Place, jars: Jars): ServiceSpec {
  const { layout, environment } = place;
  const url = catalogAddress(environment, place.pipeline);
  const xml = join(NATIVE_DIR, "catalog", "jetty.xml");
  const { warehouse, database } = layout;
  const temp = join(layout.temp, "catalog");
  const ours = runsCatalog(place);
  const token = place.pipeline.catalog.token;
  return {
    name: "catalog",
    command: ours
      ? catalogCommand(jars, xml, { port: environment.ports.catalog, warehouse, database, temp })
      : [],
    env: programEnvironment(),
    address: new URL(url).host,
    graceMs: GRACE_MS.catalog,
    prepare: () => emptyFolder(temp),
    ready: async () => {
      const ready = await catalogReady(url, token === undefined ? {} : { token });
      return { ready, reasons: ready ? [] : [`no Iceberg REST catalog answers on ${url}`] };
    },
    // A catalog of the user's may keep namespaces as it likes; the sink creates what is missing there.
    ...(ours ? { settle: () => claimCatalog(url, layout) } : {}),
  };
}

function stageSpec(place: Place, name: StageName): ServiceSpec {
  const { environment } = place;
  const address = `127.0.0.1:${environment.ports[name]}`;
  const flags = ["--cached-only", "--quiet", ...stageFlags(place, name)];
  return {
    name,
    command: [Deno.execPath(), "run", ...flags, join(projectRoot, name, "main.ts")],
    env: { ...programEnvironment(), ...stageEnvironment(place) },
    address,
    graceMs: GRACE_MS[name],
    ready: () => stageReady(address),
    alive: () => stageAlive(address),
  };
}

/** What every stage is told; compose.yaml sets the same names. */
export function stageEnvironment(place: Place): Record<string, string> {
  const { environment } = place;
  return {
    PIPELINE_DATA_DIR: environment.dataDir,
    PIPELINE_CONFIG_DIR: environment.configDir,
    PIPELINE_PORT_OFFSET: String(environment.portOffset),
  };
}

/** Our own environment without what `npx` and `deno task` added to it. */
function programEnvironment(): Record<string, string> {
  const entries = Object.entries(Deno.env.toObject());
  return Object.fromEntries(
    entries.filter(([name]) => !/^(npm_|INIT_CWD$|PWD$|OLDPWD$|SHLVL$|_$)/.test(name)),
  );
}

/** A JVM that was killed leaves its unpacked libraries behind. */
async function emptyFolder(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(path, { recursive: true });
}

async function formatStorage(place: Place, jars: Jars): Promise<void> {
  const { layout, environment } = place;
  const { kafka: port, kafkaController: controllerPort } = environment.ports;
  const text = kafkaProperties({ port, controllerPort, dataDir: layout.kafka });
  await Deno.writeTextFile(layout.kafkaProperties, text);
  const formatted = await Deno.stat(join(layout.kafka, "meta.properties")).then(
    () => true,
    () => false,
  );
  if (formatted) return;
  const id = clusterId(crypto.getRandomValues(new Uint8Array(16)));
  const [program = "", ...args] = kafkaFormatCommand(jars, layout.kafkaProperties, id);
  const { success, stderr } = await new Deno.Command(program, { args }).output();
  if (success) return;
  const reason = new TextDecoder().decode(stderr);
  throw new StartError(`Cannot format "${layout.kafka}" for Kafka: ${reason}`, EXIT.unreachable);
}

/** In a process of its own: the supervisor stays free of the Kafka client. */
async function createTopics(place: Place): Promise<string> {
  const script = join(projectRoot, "tasks", "create_topics.ts");
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--cached-only", "--quiet", "-A", script],
    env: stageEnvironment(place),
    stdin: "null",
  }).output();
  if (success) return new TextDecoder().decode(stdout).trim();
  const message = new TextDecoder().decode(stderr).trim();
  throw new StartError(`Cannot create the topics: ${message}`, EXIT.unreachable);
}

/**
 * Creates the namespace and compares where it lies with our warehouse. `/v1/config` of this server says
 * nothing of the warehouse, but the default location of a namespace is derived from it.
 */
async function claimCatalog(url: string, layout: Layout): Promise<string> {
  const location = await ensureNamespace(url, NAMESPACE);
  const expected = join(layout.warehouse, NAMESPACE);
  if (location === expected) return `warehouse ${layout.warehouse}`;
  throw new StartError(
    `Cannot use the catalog on ${url}: it belongs to another pipeline, its namespace "${NAMESPACE}" ` +
      `lies in "${location}", ours in "${expected}". Stop that one, or set PIPELINE_PORT_OFFSET`,
    EXIT.unreachable,
  );
}
