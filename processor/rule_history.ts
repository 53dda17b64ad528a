/**
 * Which rule set is in force from which offset on, of one partition (design section 4). Pure: each
 * change returns the changelog records that make it last.
 */
import {
  type Boundary,
  dropBoundary,
  dropRuleSet,
  encodeBoundary,
  encodeRuleSet,
  type LoopRecords,
} from "./changelog.ts";
import type { RuleSetRecord, StateChange } from "./step_types.ts";

/** Rule sets that stay in the changelog. */
export const RULE_SETS_MAX = 1000;

/** Boundaries that stay even while the raw log reaches back before them. */
export const BOUNDARIES_MAX = 10_000;

/** Boundaries and rule sets of a partition, oldest first. */
export class RuleHistory {
  #boundaries: Boundary[];
  readonly #sets: Map<string, RuleSetRecord>;

  constructor(records: Pick<LoopRecords, "boundaries" | "ruleSets">) {
    this.#boundaries = [...records.boundaries.values()].sort((a, b) => a.offset - b.offset);
    this.#sets = new Map(records.ruleSets);
  }

  /** The newest boundary's set; undefined where the changelog has none. */
  get inForce(): RuleSetRecord | undefined {
    const newest = this.#boundaries.at(-1);
    return newest && this.#sets.get(newest.rulesVersion);
  }

  /** Boundaries, oldest first. */
  get boundaries(): readonly Boundary[] {
    return this.#boundaries;
  }

  /** Puts a set in force from `boundary.offset` on; one at the same offset is replaced. */
  change(boundary: Boundary, set: RuleSetRecord): StateChange[] {
    const { offset, rulesVersion } = boundary;
    const newest = this.#boundaries.at(-1);
    if (newest !== undefined && newest.offset > offset) {
      throw new RangeError(
        `Cannot set a rule boundary at offset ${offset}: there is one at ${newest.offset}`,
      );
    }
    if (newest?.offset === offset) this.#boundaries.pop();
    this.#boundaries.push(boundary);
    this.#sets.delete(rulesVersion);
    this.#sets.set(rulesVersion, set);
    return [encodeBoundary(boundary), encodeRuleSet(set), ...this.#dropOldSets()];
  }

  /** Forgets boundaries that no record of the raw log needs any more; the one in force at its start stays. */
  prune(logStart: number): StateChange[] {
    // A boundary is needed while it is the last one at or below some offset that is still there.
    const firstKept = Math.max(
      0,
      this.#boundaries.findLastIndex((boundary) => boundary.offset <= logStart),
      this.#boundaries.length - BOUNDARIES_MAX,
    );
    const gone = this.#boundaries.slice(0, firstKept);
    if (gone.length === 0) return [];
    this.#boundaries = this.#boundaries.slice(firstKept);
    return gone.map((boundary) => dropBoundary(boundary.offset));
  }

  #dropOldSets(): StateChange[] {
    const gone: StateChange[] = [];
    for (const version of this.#sets.keys()) {
      if (this.#sets.size <= RULE_SETS_MAX) break;
      this.#sets.delete(version);
      gone.push(dropRuleSet(version));
    }
    return gone;
  }
}
