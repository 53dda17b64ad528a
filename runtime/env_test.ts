import { assertEquals, assertThrows } from "@std/assert";
import { MisuseError } from "../contracts/errors.ts";
import { PipelineConfig } from "../contracts/pipeline_config.ts";
import { brokerAddresses, catalogAddress, projectRoot, readEnvironment } from "./env.ts";

function variables(values: Record<string, string>) {
  return (name: string) => values[name];
}

Deno.test("readEnvironment() puts data and config under the project by default", () => {
  const environment = readEnvironment(variables({}));
  assertEquals(environment.dataDir, `${projectRoot}/.data`);
  assertEquals(environment.configDir, `${projectRoot}/config`);
  assertEquals(environment.ports, {
    kafka: 9092,
    kafkaController: 9093,
    catalog: 8181,
    generator: 7071,
    processor: 7072,
    sink: 7073,
  });
  assertEquals(environment.listen, "127.0.0.1");
});

Deno.test("readEnvironment() resolves relative folders against the caller's", () => {
  const environment = readEnvironment(variables({
    INIT_CWD: "/home/someone",
    PIPELINE_DATA_DIR: "../data",
    PIPELINE_CONFIG_DIR: "/etc/pipeline/",
  }));
  assertEquals(environment.dataDir, "/home/data");
  assertEquals(environment.configDir, "/etc/pipeline");
});

Deno.test("readEnvironment() adds the offset to every port", () => {
  const { ports } = readEnvironment(variables({ PIPELINE_PORT_OFFSET: "50000" }));
  assertEquals([ports.kafka, ports.sink], [59092, 57073]);
});

Deno.test("readEnvironment() refuses an offset that is none", () => {
  for (const text of ["50", "-100", "50100", "1e2", "x", "100.0"]) {
    const get = variables({ PIPELINE_PORT_OFFSET: text });
    assertThrows(() => readEnvironment(get), MisuseError, `PIPELINE_PORT_OFFSET "${text}"`);
  }
});

Deno.test("addresses come from the environment, then the file, then the ports", () => {
  const file = PipelineConfig.parse({
    kafka: { brokers: ["kafka.example:9092"] },
    catalog: { uri: "http://catalog.example:8181" },
  });
  const none = PipelineConfig.parse({});
  const plain = readEnvironment(variables({ PIPELINE_PORT_OFFSET: "100" }));
  const set = readEnvironment(variables({
    PIPELINE_KAFKA_BROKERS: "a:1, b:2",
    PIPELINE_CATALOG_URI: "http://c:8181/",
  }));
  assertEquals(brokerAddresses(plain, none), ["127.0.0.1:9192"]);
  assertEquals(brokerAddresses(plain, file), ["kafka.example:9092"]);
  assertEquals(brokerAddresses(set, file), ["a:1", "b:2"]);
  assertEquals(catalogAddress(plain, none), "http://127.0.0.1:8281");
  assertEquals(catalogAddress(plain, file), "http://catalog.example:8181");
  assertEquals(catalogAddress(set, file), "http://c:8181");
});

Deno.test("readEnvironment() refuses brokers without a port", () => {
  const get = variables({ PIPELINE_KAFKA_BROKERS: "a:1,b" });
  assertThrows(() => readEnvironment(get), MisuseError, 'got "b"');
});
