/**
 * Creates the topics of the table with their settings, and waits for their leaders. A process of its own:
 * the supervisor runs it natively, the service `topics` in compose.
 */
import { createKafkaBroker } from "../broker/kafka.ts";
import { EXIT } from "../contracts/errors.ts";
import { brokerAddresses } from "../runtime/env.ts";
import { runTask } from "./cli.ts";
import { currentPlace } from "./native/place.ts";
import { topicsOf } from "./native/topics.ts";

const HELP = "deno run tasks/create_topics.ts: creates the topics that are missing.";

await runTask(HELP, async () => {
  const place = await currentPlace();
  const specs = topicsOf(place.pipeline);
  const broker = await createKafkaBroker({
    brokers: brokerAddresses(place.environment, place.pipeline),
    clientId: "create-topics",
  });
  try {
    const before = await broker.topics(specs.map((spec) => spec.name));
    await broker.createTopics(specs);
    const made = specs.length - before.size;
    console.log(made === 0 ? `all ${specs.length} there` : `${made} created`);
  } finally {
    await broker.close();
  }
  return EXIT.ok;
});
