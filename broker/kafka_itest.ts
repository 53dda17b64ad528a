/** The Kafka adapter on a real Kafka: the conformance suite. */
import { startServices, type TestServices } from "../tests/support/services.ts";
import { conformanceCases } from "./conformance.ts";
import { createKafkaBroker, type KafkaOptions } from "./kafka.ts";

let services: TestServices;

Deno.test.beforeAll(async () => {
  services = await startServices({ catalog: false });
});

Deno.test.afterAll(() => services.stop());

async function runCase(
  { run }: (typeof conformanceCases)[number],
  options: Omit<KafkaOptions, "brokers">,
): Promise<void> {
  const suffix = crypto.randomUUID().slice(0, 8);
  let names = 0;
  const broker = createKafkaBroker({ ...options, brokers: [services.kafka] });
  try {
    await run({ broker, unique: (prefix) => `${prefix}-${suffix}-${++names}` });
  } finally {
    await broker.close();
  }
}

for (const each of conformanceCases) {
  Deno.test(`kafka broker: ${each.name}`, () => runCase(each, { clientId: "conformance" }));
}

// A name may have many addresses: it is left to Node's sockets, the other way to connect.
const BY_NAME = [
  "keys, values, headers, tombstones, null keys and timestamps come back as sent",
  "a send over the batch limit is split, in order, without a loss",
];
for (const name of BY_NAME) {
  Deno.test(`kafka broker by name: ${name}`, () =>
    runCase(conformanceCases.find((each) => each.name === name)!, {
      clientId: "by-name",
      route: ({ port }) => ({ host: "localhost", port }),
    }));
}
