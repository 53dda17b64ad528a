/** What the topics must be like before anything is judged (design sections 2 and 3). */
import type { Broker } from "../broker/port.ts";
import { NotReadyError } from "../contracts/errors.ts";
import type { TopicNames } from "../contracts/topics.ts";

/** An output may be this many times as large as its raw record: a dead letter escapes what it quotes. */
const OUTPUT_GROWTH = 2;

/** Kafka's own default of max.message.bytes. */
const MESSAGE_BYTES_DEFAULT = 1_048_588;

/**
 * Checks that the topics exist, that every output has as many partitions as the raw topic, and that each takes
 * records of twice `recordBytesMax`.
 *
 * @throws {NotReadyError} with what is wrong, and the command that mends it.
 */
export async function checkTopics(
  broker: Pick<Broker, "topics" | "topicSettings">,
  topics: TopicNames,
  recordBytesMax: number,
): Promise<void> {
  const outputs = [topics.transactions, topics.alerts, topics.deadLetter, topics.state];
  const infos = await broker.topics([topics.raw, ...outputs]);
  const missing = [topics.raw, ...outputs].filter((topic) => !infos.has(topic));
  if (missing.length > 0) {
    throw new NotReadyError(`Cannot start: topic ${missing.join(", ")} does not exist`);
  }
  const { partitions } = infos.get(topics.raw)!;
  const narrow = outputs.filter((topic) => infos.get(topic)!.partitions < partitions);
  if (narrow.length > 0) {
    throw new NotReadyError(
      `Cannot start: "${topics.raw}" has ${partitions} partitions, ${
        narrow.map((topic) => `"${topic}" ${infos.get(topic)!.partitions}`).join(", ")
      }; grow them with deno task topics --partitions ${partitions}`,
    );
  }
  const needed = OUTPUT_GROWTH * recordBytesMax;
  const settings = await Promise.all(outputs.map((topic) => broker.topicSettings(topic)));
  for (const [i, topic] of outputs.entries()) {
    const taken = Number(settings[i]!.get("max.message.bytes") ?? MESSAGE_BYTES_DEFAULT);
    if (taken >= needed) continue;
    throw new NotReadyError(
      `Cannot start: "${topic}" takes messages of at most ${taken} bytes (max.message.bytes), expected ` +
        `${needed}, ${OUTPUT_GROWTH} × processor.record_bytes_max of pipeline.yaml; raise the one or lower the other`,
    );
  }
}
