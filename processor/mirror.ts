/**
 * Mirrors positions as group offsets for lag tools (design section 5), with the version of the rules. Positions are
 * never read back; the versions of other instances are, to tell when they differ.
 */
import type { Broker, GroupOffset } from "../broker/port.ts";
import type { Logger } from "../runtime/log.ts";
import type { Clock, PartitionView } from "./context.ts";
import { RulesAgreement, rulesMetadata } from "./rules_agreement.ts";

/** Options of {@linkcode mirrorPositions}. */
export interface MirrorOptions {
  broker: Pick<Broker, "commitGroupOffsets" | "groupOffsets">;
  group: string;
  topic: string;
  /** Ours. */
  views: () => readonly PartitionView[];
  /** Of our rule file. */
  rulesVersion: () => string | undefined;
  /** Told after each look: why the instances' rules do not agree, or that they do. */
  disagree: (reason: string | undefined) => void;
  everyMs: number;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}

/** How long the last mirroring may hold an end up. */
const LAST_MS_MAX = 3_000;

/** Mirrors what is new every `everyMs`, and once more at the end. A failure is only logged. */
export async function mirrorPositions(options: MirrorOptions): Promise<void> {
  const { broker, group, topic, views, rulesVersion, disagree } = options;
  const { everyMs, clock, log, signal } = options;
  const mirrored = new Map<number, string>();
  const agreement = new RulesAgreement();
  async function mirror(): Promise<void> {
    const offsets: GroupOffset[] = [];
    const marks = new Map<number, string>();
    for (const { partition, position, state, rulesVersion } of views()) {
      if (state !== "running" && state !== "stopped") continue;
      if (position < 0 || mirrored.get(partition) === `${position} ${rulesVersion}`) continue;
      const metadata = rulesVersion === null ? {} : { metadata: rulesMetadata(rulesVersion) };
      offsets.push({ topic, partition, offset: position, ...metadata });
      marks.set(partition, `${position} ${rulesVersion}`);
    }
    if (offsets.length === 0) return;
    try {
      await broker.commitGroupOffsets(group, offsets);
      for (const [partition, mark] of marks) mirrored.set(partition, mark);
    } catch (error) {
      log.warn("mirror_failed", { group, error });
    }
  }
  async function compare(): Promise<void> {
    const version = rulesVersion();
    if (version === undefined) return;
    try {
      const owned = new Set(views().map(({ partition }) => partition));
      const all = await broker.groupOffsets(group, topic);
      disagree(agreement.check(all, { owned, version, nowMs: clock.now() }));
    } catch (error) {
      log.warn("rules_not_compared", { group, error });
    }
  }
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal).catch(() => {});
    if (!signal.aborted) await mirror();
    if (!signal.aborted) await compare();
  }
  const late = new AbortController();
  await Promise.race([mirror(), clock.sleep(LAST_MS_MAX, late.signal).catch(() => {})]);
  late.abort();
}
