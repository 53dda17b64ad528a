/** compose.yaml and Dockerfile against the tables that the native set-up uses: the two cannot drift apart. */
import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import { PipelineConfig } from "../contracts/pipeline_config.ts";
import { BASE_PORTS, SERVICE_NAMES, STAGE_NAMES } from "../contracts/services.ts";
import { brokerAddresses, catalogAddress, readEnvironment } from "../runtime/env.ts";
import { composeEnvironment } from "../tasks/docker/engine.ts";
import { CATALOG_HEAP_MB, KAFKA_HEAP_MB, KAFKA_SETTINGS } from "../tasks/native/java.ts";
import { layoutOf } from "../tasks/native/layout.ts";
import { stageEnvironment } from "../tasks/native/specs.ts";
import { composeFlags } from "../tasks/native/stage_flags.ts";
import { GRACE_MS } from "../tasks/native/stop.ts";

interface Service {
  image: string;
  build?: unknown;
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  mem_limit?: string;
  restart?: string;
  stop_grace_period?: string;
  network_mode?: string;
}

const text = await Deno.readTextFile(new URL("../compose.yaml", import.meta.url));
const document = parse(text, { merge: true }) as { services: Record<string, Service> };
const HELPERS = ["prepare", "topics", "tools"];

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(`../${path}`, import.meta.url));
}

function service(name: string): Service {
  const found = document.services[name];
  assert(found !== undefined, `compose.yaml has no service ${name}`);
  return found;
}

Deno.test("compose.yaml runs the five services of the native set-up, and three helpers", () => {
  assertEquals(Object.keys(document.services).sort(), [...SERVICE_NAMES, ...HELPERS].sort());
});

Deno.test("compose.yaml publishes the ports of the table, on 127.0.0.1 only", () => {
  for (const name of SERVICE_NAMES) {
    const port = BASE_PORTS[name];
    const variable = `${name.toUpperCase()}_PORT`;
    assertEquals(service(name).ports, [`127.0.0.1:\${${variable}:-${port}}:${port}`]);
  }
  for (const name of HELPERS) assertEquals(service(name).ports, undefined);
});

Deno.test("compose.yaml gives the broker the settings of the native one", () => {
  const environment = service("kafka").environment ?? {};
  for (const [key, value] of Object.entries(KAFKA_SETTINGS)) {
    const variable = `KAFKA_${key.toUpperCase().replaceAll(".", "_")}`;
    assertEquals(environment[variable], value, variable);
  }
  assert(environment.KAFKA_HEAP_OPTS?.includes(`-Xmx${KAFKA_HEAP_MB}m`));
  const java = service("catalog").environment?.JAVA_TOOL_OPTIONS;
  assert(java?.includes(`-Xmx${CATALOG_HEAP_MB}m`));
});

Deno.test("compose.yaml gives the catalog the properties of the native one", async () => {
  const xml = await read("tasks/native/catalog/jetty.xml");
  const environment = service("catalog").environment ?? {};
  const property = (key: string) =>
    new RegExp(`<Arg>${key}</Arg>\\s*<Arg>([^<]+)</Arg>`).exec(xml)?.[1];
  assertEquals(environment.CATALOG_CATALOG__IMPL, property("catalog-impl"));
  assertEquals(environment.CATALOG_JDBC_SCHEMA__VERSION, property("jdbc.schema-version"));
  assertEquals(environment.CATALOG_CLIENTS, property("clients"));
  assert(environment.CATALOG_URI?.startsWith("jdbc:sqlite:/var/lib/catalog/"));
  const warehouse = service("sink").environment?.PIPELINE_CATALOG_WAREHOUSE;
  assertEquals(environment.CATALOG_WAREHOUSE, warehouse);
});

Deno.test("compose.yaml tells the stages what the native set-up tells them, by names that they read", () => {
  const asked = new Set<string>();
  readEnvironment((name) => {
    asked.add(name);
    return undefined;
  });
  for (const name of [...STAGE_NAMES, "topics", "tools"]) {
    const environment = service(name).environment ?? {};
    assertEquals(Object.keys(environment).filter((key) => !asked.has(key)), [], name);
    const effective = readEnvironment((key) => environment[key]);
    const config = PipelineConfig.parse({});
    assertEquals(brokerAddresses(effective, config), ["kafka:19092"]);
    assertEquals(catalogAddress(effective, config), "http://catalog:8181");
    assertEquals(effective.ports, { ...BASE_PORTS });
    const place = { environment: effective, layout: layoutOf("/x"), pipeline: config };
    for (const key of Object.keys(stageEnvironment(place))) assert(key in environment, key);
  }
});

Deno.test("compose.yaml starts the stages with the permissions of the native set-up's table", () => {
  for (const name of STAGE_NAMES) {
    const expected = ["run", "--cached-only", "--quiet", ...composeFlags(name), `${name}/main.ts`];
    assertEquals(service(name).command, expected);
  }
});

Deno.test("compose.yaml creates the topics by the program that the native set-up uses, before any stage", () => {
  assertEquals(service("topics").command?.at(-1), "tasks/create_topics.ts");
  assertEquals(service("topics").depends_on, { kafka: { condition: "service_healthy" } });
  for (const name of STAGE_NAMES) {
    assertEquals(service(name).depends_on, {
      topics: { condition: "service_completed_successfully" },
      catalog: { condition: "service_healthy" },
    });
  }
});

Deno.test("compose.yaml keeps all memory limits together below 3 GB, and every service has one", () => {
  let total = 0;
  for (const [name, { mem_limit: limit }] of Object.entries(document.services)) {
    const megabytes = /^(\d+)m$/.exec(limit ?? "")?.[1];
    assert(megabytes !== undefined, `${name} has no memory limit`);
    total += Number(megabytes) * 1024 ** 2;
  }
  assert(total < 3e9, `${total} bytes`);
});

Deno.test("compose.yaml watches, restarts and stops every service as the supervisor does", () => {
  for (const name of SERVICE_NAMES) {
    const { healthcheck, restart, stop_grace_period: grace } = service(name);
    assert(healthcheck !== undefined, `${name} has no health check`);
    assertEquals(restart, "unless-stopped");
    assertEquals(grace, `${GRACE_MS[name] / 1000}s`);
  }
  for (const name of STAGE_NAMES) {
    const test = service(name).healthcheck?.test.join(" ") ?? "";
    assert(test.includes(`http://127.0.0.1:${BASE_PORTS[name]}/readyz`), test);
    assert(service(name).volumes?.includes("${CONFIG_DIR:-./config}:/config:ro"));
  }
});

Deno.test("deno task up sets every variable of compose.yaml, but for those of a person", () => {
  const variables = new Set(Array.from(text.matchAll(/\$\{(\w+):-/g), (match) => match[1]));
  const environment = readEnvironment((name) => name === "PIPELINE_MASK_SALT" ? "s" : undefined);
  const place = { environment, layout: layoutOf("/x"), pipeline: PipelineConfig.parse({}) };
  const set = Object.keys(composeEnvironment(place));
  assertEquals(set.filter((name) => !variables.has(name)), []);
  assertEquals([...variables].filter((name) => !set.includes(name ?? "")), ["KAFKA_CLUSTER_ID"]);
});

Deno.test("images, poms and the CI run the same versions", async () => {
  const pom = await read("tasks/native/pom.xml");
  const version = (name: string) =>
    new RegExp(`<${name}.version>([^<]+)</${name}.version>`).exec(pom)?.[1];
  assertEquals(service("kafka").image, `apache/kafka:${version("kafka")}`);
  assertEquals(service("catalog").image, `apache/iceberg-rest-fixture:${version("iceberg")}`);
  const deno = /^FROM denoland\/deno:(\S+)$/m.exec(await read("Dockerfile"))?.[1];
  assertEquals(/deno@(\S+) /.exec(await read(".ci/run"))?.[1], deno);
});

Deno.test("the Dockerfile resolves programs that exist, and .dockerignore lets their folders in", async () => {
  const programs = (await read("Dockerfile")).match(/[a-z]+\/[a-z_]+\.ts/g) ?? [];
  assert(programs.length >= 7, programs.join(" "));
  const allowed = new Set(
    Array.from((await read(".dockerignore")).matchAll(/^!(\w+)$/gm), (match) => match[1]),
  );
  for (const program of programs) {
    assert((await read(program)).length > 0);
    assert(allowed.has(program.split("/")[0]), program);
  }
  const members = JSON.parse(await read("deno.json")).workspace as string[];
  for (const member of members) assert(allowed.has(member.replace("./", "")), member);
});
