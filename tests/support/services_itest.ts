import { assert, assertEquals } from "@std/assert";
import { catalogReady, kafkaReady } from "../../tasks/native/ready.ts";
import { startServices } from "./services.ts";

Deno.test("startServices() starts a broker and a catalog that answer, and stop() ends both", async () => {
  const services = await startServices({ fresh: true });
  try {
    const kafka = await kafkaReady(services.kafka);
    assertEquals(kafka?.brokers, [services.kafka]);
    assert(await catalogReady(services.catalog));
    const created = await fetch(`${services.catalog}/v1/namespaces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ namespace: ["a"], properties: {} }),
    });
    const { properties } = await created.json();
    assertEquals(properties.location, `${services.warehouse}/a`);
  } finally {
    await services.stop();
  }
  assertEquals(await kafkaReady(services.kafka), undefined);
  assertEquals(await catalogReady(services.catalog), false);
});
