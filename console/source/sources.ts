/** All sources of the console, started together. A source that fails tells so and goes on trying. */
import type { ConsolePorts } from "../ports.ts";
import type { Fact } from "../store/facts.ts";
import type { AlertItem, DeadLetterItem } from "../store/model.ts";
import { alertItem, deadLetterItem, followTopic } from "./feed_source.ts";
import { watchConservation } from "./conservation_source.ts";
import { watchFiles } from "./file_source.ts";
import { watchLogs } from "./log_source.ts";
import type { Watching } from "./poll.ts";
import { watchStatus } from "./status_source.ts";
import { watchStreams } from "./streams_source.ts";
import { watchTables } from "./table_source.ts";

/** Running sources. */
export interface Sources {
  /** Resolves when all have ended; the signal has to be aborted before. */
  close(): Promise<void>;
}

/** Starts them. */
export function startSources(
  ports: ConsolePorts,
  emit: (fact: Fact) => void,
  watching: Watching,
): Sources {
  const { openBroker, topics } = ports;
  const { signal } = watching;
  let seq = 0;
  const running = [
    watchStatus(ports, emit, signal),
    watchStreams(ports, emit, watching),
    watchTables(ports, emit, watching),
    watchLogs(ports, emit, signal),
    watchFiles(ports, emit, signal),
    watchConservation(ports, emit, signal),
    followTopic({
      openBroker,
      topic: topics.alerts,
      signal,
      onRecords(records, skipped) {
        const items = records.map((record) => alertItem(record, ++seq))
          .filter((item): item is AlertItem => item !== undefined);
        emit({ type: "alerts", items, skipped: skipped + records.length - items.length });
      },
    }),
    followTopic({
      openBroker,
      topic: topics.deadLetter,
      signal,
      onRecords(records, skipped) {
        const items = records.map((record) => deadLetterItem(record, ++seq))
          .filter((item): item is DeadLetterItem => item !== undefined);
        emit({ type: "dead_letters", items, skipped: skipped + records.length - items.length });
      },
    }),
  ];
  return {
    close: async () => {
      await Promise.allSettled(running);
    },
  };
}
