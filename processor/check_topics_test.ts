import { assertRejects } from "@std/assert";
import { createMemoryBroker } from "../broker/memory.ts";
import { NotReadyError } from "../contracts/errors.ts";
import { TOPIC_NAMES_DEFAULT as TOPICS, topicSpecs } from "../contracts/topics.ts";
import { checkTopics } from "./check_topics.ts";

const KIB = 1024;

Deno.test("checkTopics() takes the pipeline's own topics, up to half of what they take", async () => {
  const broker = createMemoryBroker();
  await broker.createTopics(topicSpecs(TOPICS, 3));
  await checkTopics(broker, TOPICS, 256 * KIB);
});

Deno.test("checkTopics() names what is missing, too narrow, or takes too small messages", async () => {
  const broker = createMemoryBroker();
  const check = (recordBytesMax: number) => checkTopics(broker, TOPICS, recordBytesMax);
  const specs = topicSpecs(TOPICS, 2);
  await broker.createTopics(specs.filter(({ name }) => name !== TOPICS.alerts));
  await assertRejects(() => check(KIB), NotReadyError, `topic ${TOPICS.alerts} does not exist`);
  await broker.createTopics([{
    name: TOPICS.alerts,
    partitions: 1,
    settings: { "max.message.bytes": "300000" },
  }]);
  await assertRejects(
    () => check(KIB),
    NotReadyError,
    `"${TOPICS.raw}" has 2 partitions, "${TOPICS.alerts}" 1; grow them with deno task topics --partitions 2`,
  );
  await broker.growTopic(TOPICS.alerts, 2);
  await checkTopics(broker, TOPICS, 150_000);
  await assertRejects(
    () => check(150_001),
    NotReadyError,
    `"${TOPICS.alerts}" takes messages of at most 300000 bytes (max.message.bytes), expected 300002`,
  );
});
