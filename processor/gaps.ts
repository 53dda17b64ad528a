/**
 * When a stored position and the log no longer fit together (docs/exactly-once.md T3-T5). Pure; a gap
 * is never answered by a reset, only by an operator.
 */
import type { PartitionOffsets } from "../broker/port.ts";
import type { GapKind, Position } from "./changelog.ts";

/** What is gone. */
export interface Gap {
  kind: GapKind;
  /** Lost raw offsets, from (inclusive) and to (exclusive); equal where none can be named. */
  from: number;
  to: number;
  reason: string;
}

/** A partition cannot go on before an operator decides. */
export class GapError extends Error {
  override readonly name = "GapError";
  constructor(readonly gap: Gap, options?: ErrorOptions) {
    super(gap.reason, options);
  }
}

/** What the broker says about a partition. */
export interface PartitionFacts {
  topic: string;
  partition: number;
  clusterId: string;
  /** Id of the raw topic. */
  topicId: string;
  raw: Pick<PartitionOffsets, "start" | "stable">;
  /** End offsets of the same partition of the outputs, by topic. */
  outputEnds: ReadonlyMap<string, number>;
}

const HOW = "look at it, then run: deno task resume --accept-gap";

/** Finds what keeps a partition from going on at its position, if anything does. */
export function findGap(position: Position | undefined, facts: PartitionFacts): Gap | undefined {
  const place = `${facts.topic}/${facts.partition}`;
  const { start, stable } = facts.raw;
  if (position === undefined) { // T4
    const full = [...facts.outputEnds].filter(([, end]) => end > 0).map(([topic]) => topic);
    if (full.length === 0) return undefined;
    return {
      kind: "changelog_lost",
      from: 0,
      to: 0,
      reason: `Cannot find the position of "${place}": its changelog is empty, but ${
        full.join(", ")
      } hold records, so state and position are lost; ${HOW}`,
    };
  }
  const { next } = position;
  if (position.clusterId !== facts.clusterId || position.topicId !== facts.topicId) { // T3
    const what = position.clusterId !== facts.clusterId
      ? `cluster ${position.clusterId}, this is cluster ${facts.clusterId}`
      : `topic id ${position.topicId}, this topic has id ${facts.topicId}`;
    return {
      kind: "identity",
      from: next,
      to: next,
      reason:
        `Cannot continue "${place}" at offset ${next}: the position belongs to ${what}; ${HOW}`,
    };
  }
  if (next < start) { // T5
    return {
      kind: "expired",
      from: next,
      to: start,
      reason:
        `Cannot continue "${place}" at offset ${next}: the log starts at ${start}, offsets ${next} to ${
          start - 1
        } are gone; ${HOW}`,
    };
  }
  if (next > stable) { // T5
    return {
      kind: "truncated",
      from: stable,
      to: next,
      reason:
        `Cannot continue "${place}" at offset ${next}: the log ends at ${stable}, it has lost its tail; ${HOW}`,
    };
  }
  return undefined;
}
