/** Reads what the topics have of one partition into the scratch tables, and notes where the view was cut. */
import type { TopicNames } from "../contracts/topics.ts";
import { AUDITED_TABLES } from "./facts.ts";
import { loadOutput } from "./load_outputs.ts";
import { type LoadedRaw, loadRaw } from "./load_raw.ts";
import type { Scratch } from "./scratch.ts";
import type { OnProgress, TopicReader } from "./topic_reader.ts";
import { type AuditView, type PartitionView, positionAfter, TOPIC_OF } from "./view.ts";

const OUTPUT_ROLES = ["transactions", "deadLetter", "alerts"] as const;

/** Where a partition is read from. */
export interface PartitionSources {
  scratch: Scratch;
  reader: TopicReader;
  topics: TopicNames;
  /** Compare every value. */
  full: boolean;
}

/** What was read. */
export interface ReadPartition extends LoadedRaw {
  /** Records of outputs that came of an earlier raw topic of the same name. */
  earlier: number;
}

/** Reads outputs and raw log of one partition. */
export async function readPartition(
  sources: PartitionSources,
  view: AuditView,
  one: PartitionView,
  onProgress: OnProgress,
): Promise<ReadPartition> {
  const { scratch, reader, topics, full } = sources;
  const { partition, start, end, position, changelog } = one;
  const firsts: number[] = [];
  let earlier = 0;
  for (const role of OUTPUT_ROLES) {
    const { start: from, end: to } = one.outputs[role];
    const range = { topic: topics[role], partition, from, to };
    const context = { rawTopic: topics.raw, partition, full };
    const renewedMs = changelog.renewedAtMs;
    const anew = lostBeginning(view, role, partition);
    const load = { role, range, context, since: start, anew, renewedMs };
    const output = await loadOutput(scratch, reader, load, onProgress);
    firsts.push(output.firstTrace);
    earlier += output.earlier;
  }
  const after = await positionAfter(reader, topics.state, one);
  const next = AUDITED_TABLES.map((table) => view.histories.get(table)?.next.get(partition) ?? 0);
  const cut = [partition, start, position, after, ...firsts, ...next];
  await scratch.run(`INSERT INTO cut VALUES (${cut.join(", ")})`);
  for (const { from, to } of changelog.gapsOfThisLog) {
    await scratch.run(`INSERT INTO gap VALUES (${partition}, ${from}, ${to})`);
  }
  const load = {
    range: { topic: topics.raw, partition, from: start, to: end },
    position,
    changelog,
    truncated: start > 0,
    full,
  };
  return { ...await loadRaw(scratch, reader, load, onProgress), earlier };
}

/** An operator accepted for the topic's table that the topic was made anew. */
function lostBeginning(
  { histories }: AuditView,
  role: typeof OUTPUT_ROLES[number],
  partition: number,
): boolean {
  const table = AUDITED_TABLES.find((one) => TOPIC_OF[one] === role)!;
  return (histories.get(table)?.gaps ?? []).some((gap) => gap.anew && gap.partition === partition);
}

/** Offsets that {@linkcode readPartition} reports progress in. */
export function offsetsIn({ start, end, outputs }: PartitionView): number {
  return OUTPUT_ROLES.map((role) => outputs[role].end - outputs[role].start)
    .reduce((sum, offsets) => sum + offsets, Math.max(0, end - start));
}
