/** The Kafka adapter on a real Kafka: the conformance suite. */
import { startServices, type TestServices } from "../tests/support/services.ts";
import { conformanceCases } from "./conformance.ts";
import { createKafkaBroker } from "./kafka.ts";

let services: TestServices;

Deno.test.beforeAll(async () => {
  services = await startServices({ catalog: false });
});

Deno.test.afterAll(() => services.stop());

for (const { name, run } of conformanceCases) {
  Deno.test(`kafka broker: ${name}`, async () => {
    const suffix = crypto.randomUUID().slice(0, 8);
    let names = 0;
    const broker = createKafkaBroker({ brokers: [services.kafka], clientId: "conformance" });
    try {
      await run({ broker, unique: (prefix) => `${prefix}-${suffix}-${++names}` });
    } finally {
      await broker.close();
    }
  });
}
