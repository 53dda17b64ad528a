/** Sampled times of a batch's records, for the latency figures. Bounded, off the hot path. Pure. */
import type { RecordBatch } from "../broker/port.ts";
import { parseTimestamp } from "../contracts/timestamps.ts";

/** Records looked at per fetch. */
const SAMPLES_PER_FETCH = 8;

/** Samples kept per batch; further fetches replace older ones. */
const SAMPLES_MAX = 4096;

/**
 * An event time this far from the moment of storing says nothing about the pipeline's speed: it is a
 * replay, or history that was loaded late.
 */
const EVENT_AGE_MS_MAX = 600_000;

interface Sample {
  /** Kafka timestamp of the record: the moment that the processor sent it. */
  processedMs: number;
  /** The transaction's own time; the nearest thing to "generated" that the record carries. */
  eventMs: number | undefined;
  /** Records it stands for. */
  count: number;
}

/** Takes a latency of `count` records. */
export type ObserveLatency = (
  leg: "processed_to_stored" | "generated_to_stored",
  ms: number,
  count: number,
) => void;

/** Times of one batch. */
export class LatencySamples {
  readonly #samples: Sample[] = [];
  #next = 0;
  readonly #events: boolean;

  /** `events`: the values are transactions, with a time of their own. */
  constructor(options: { events: boolean }) {
    this.#events = options.events;
  }

  /** Looks at a few records of a fetch, evenly spread. */
  add(records: RecordBatch): void {
    const looks = Math.min(SAMPLES_PER_FETCH, records.count);
    for (let look = 0; look < looks; look++) {
      const index = Math.floor((look + 0.5) * records.count / looks);
      const eventMs = this.#events ? eventTime(records, index) : undefined;
      const processedMs = records.timestamps[index]!;
      this.#samples[this.#next++ % SAMPLES_MAX] = {
        processedMs,
        eventMs,
        count: records.count / looks,
      };
    }
  }

  /** Reports all of them as stored at `nowMs`. */
  observe(nowMs: number, observe: ObserveLatency): void {
    for (const { processedMs, eventMs, count } of this.#samples) {
      observe("processed_to_stored", nowMs - processedMs, count);
      if (eventMs !== undefined && Math.abs(nowMs - eventMs) <= EVENT_AGE_MS_MAX) {
        observe("generated_to_stored", nowMs - eventMs, count);
      }
    }
  }
}

function eventTime(records: RecordBatch, index: number): number | undefined {
  const start = records.valueStart[index]!;
  if (start === -1) return undefined;
  try {
    const text = new TextDecoder().decode(records.bytes.subarray(start, records.valueEnd[index]!));
    const { timestamp } = JSON.parse(text) as { timestamp?: unknown };
    const us = typeof timestamp === "string" ? parseTimestamp(timestamp) : undefined;
    return us === undefined ? undefined : us / 1000;
  } catch {
    return undefined;
  }
}
