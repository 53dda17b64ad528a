/** Reads the processor's outputs of one partition into the scratch tables. */
import type { RecordBatch } from "../broker/port.ts";
import { ALERT, OUTPUT } from "./facts.ts";
import {
  alertFacts,
  deadLetterFacts,
  type FactsContext,
  tracedOffset,
  transactionFacts,
  writtenAtMs,
} from "./record_facts.ts";
import type { Cell, Scratch } from "./scratch.ts";
import type { OnProgress, TopicRange, TopicReader } from "./topic_reader.ts";

/** The three topics that are compared with the raw log. */
export type OutputRole = "transactions" | "deadLetter" | "alerts";

const FACTS: Record<
  OutputRole,
  (records: RecordBatch, index: number, context: FactsContext) => Cell[]
> = {
  transactions: transactionFacts,
  deadLetter: deadLetterFacts,
  alerts: alertFacts,
};

/** What to read. */
export interface OutputLoad {
  role: OutputRole;
  /** From the topic's start to the end that was seen after the cut. */
  range: TopicRange;
  context: FactsContext;
  /** Raw offset from which on records are compared. */
  since: number;
  /** The topic has lost what it began with, though its offsets may begin at 0: it was made anew. */
  anew: boolean;
  /** What was written before came of an earlier raw topic of the same name, ms; 0 if there was none. */
  renewedMs: number;
}

/** What was read. */
export interface LoadedOutput {
  /** Trace of the first record that is still there, if earlier ones have expired; 0 else. */
  firstTrace: number;
  /** Records that were left out since they came of an earlier raw topic. */
  earlier: number;
}

/** Reads one partition of one topic. */
export async function loadOutput(
  scratch: Scratch,
  reader: TopicReader,
  load: OutputLoad,
  onProgress: OnProgress,
): Promise<LoadedOutput> {
  const { role, context, renewedMs } = load;
  const expired = load.range.from > 0 || load.anew;
  const [name, columns] = role === "alerts"
    ? ["all_alert", ALERT] as const
    : ["all_output", OUTPUT] as const;
  const factsOf = FACTS[role];
  const range = await skipBefore(reader, load);
  onProgress(range.from - load.range.from);
  const writer = await scratch.writer(name, columns);
  let earlier = 0;
  let firstTrace: number | undefined;
  try {
    for await (const batch of reader.batches(range, onProgress)) {
      for (let index = 0; index < batch.count; index++) {
        if (renewedMs > 0 && writtenAtMs(batch, index, role) < renewedMs) {
          earlier++;
          continue;
        }
        firstTrace ??= tracedOffset(batch, index, context) ?? undefined;
        writer.add(factsOf(batch, index, context));
      }
    }
  } finally {
    writer.close();
  }
  return { firstTrace: expired ? firstTrace ?? Number.MAX_SAFE_INTEGER : 0, earlier };
}

/** The range without the records whose traces lie before `since`: traces rise with offsets. */
async function skipBefore(reader: TopicReader, load: OutputLoad): Promise<TopicRange> {
  const { range, since, context, renewedMs } = load;
  // Traces rise with offsets in the log of one topic only.
  if (since === 0 || renewedMs > 0) return range;
  const from = await reader.search(range, (records, index) => {
    const offset = tracedOffset(records, index, context);
    return offset === null || offset >= since;
  });
  return { ...range, from };
}
