/** Mirrors positions as group offsets for lag tools (design section 5). Never read back. */
import type { Broker, GroupOffset } from "../broker/port.ts";
import type { Logger } from "../runtime/log.ts";
import type { Clock, PartitionView } from "./context.ts";

/** Options of {@linkcode mirrorPositions}. */
export interface MirrorOptions {
  broker: Pick<Broker, "commitGroupOffsets">;
  group: string;
  topic: string;
  views: () => Iterable<PartitionView>;
  everyMs: number;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}

/** How long the last mirroring may hold an end up. */
const LAST_MS_MAX = 3_000;

/** Mirrors what is new every `everyMs`, and once more at the end. A failure is only logged. */
export async function mirrorPositions(options: MirrorOptions): Promise<void> {
  const { broker, group, topic, views, everyMs, clock, log, signal } = options;
  const mirrored = new Map<number, number>();
  async function mirror(): Promise<void> {
    const offsets: GroupOffset[] = [];
    for (const { partition, position, state } of views()) {
      if (state !== "running" && state !== "stopped") continue;
      if (position < 0 || mirrored.get(partition) === position) continue;
      offsets.push({ topic, partition, offset: position });
    }
    if (offsets.length === 0) return;
    try {
      await broker.commitGroupOffsets(group, offsets);
      for (const { partition, offset } of offsets) mirrored.set(partition, offset);
    } catch (error) {
      log.warn("mirror_failed", { group, error });
    }
  }
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal).catch(() => {});
    if (!signal.aborted) await mirror();
  }
  const late = new AbortController();
  await Promise.race([mirror(), clock.sleep(LAST_MS_MAX, late.signal).catch(() => {})]);
  late.abort();
}
