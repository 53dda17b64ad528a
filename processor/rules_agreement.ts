/** Do all instances judge by the same rules? Their versions go with the mirrored offsets. Pure. */
import type { GroupOffset } from "../broker/port.ts";

/** A new rule file reaches every instance within seconds; who differs for longer has another file. */
const DIFFERENCE_MS_MAX = 30_000;

const METADATA = /^rules=([0-9a-zA-Z._-]+)$/;

/** Metadata of a mirrored offset: the version that judged the records before it. */
export function rulesMetadata(version: string): string {
  return `rules=${version}`;
}

/** Compares the versions of other instances' partitions with ours. */
export class RulesAgreement {
  /** Since when a partition of others differs, ms. */
  readonly #since = new Map<number, number>();

  /**
   * Looks at what all instances have mirrored; gives the reason why the pipeline is degraded, if it is.
   * `owned` are our partitions, `version` is the one of our file.
   */
  check(
    offsets: readonly GroupOffset[],
    options: { owned: ReadonlySet<number>; version: string; nowMs: number },
  ): string | undefined {
    const { owned, version, nowMs } = options;
    const reasons: string[] = [];
    for (const { partition, metadata } of offsets) {
      const theirs = METADATA.exec(metadata ?? "")?.[1];
      if (owned.has(partition) || theirs === undefined || theirs === version) {
        this.#since.delete(partition);
        continue;
      }
      const since = this.#since.get(partition) ?? nowMs;
      this.#since.set(partition, since);
      if (nowMs - since >= DIFFERENCE_MS_MAX) {
        reasons.push(
          `partition ${partition} is judged by rules ${theirs} elsewhere, by ${version} here`,
        );
      }
    }
    return reasons.length === 0 ? undefined : reasons.join("; ");
  }
}
