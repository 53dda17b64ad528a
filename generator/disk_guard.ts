/** Pauses the generator while a volume is nearly full (design section 6). */
import { DISK_PAUSE_PERCENT, DISK_WARN_PERCENT, type DiskUsage } from "../runtime/disk.ts";
import type { Logger } from "../runtime/log.ts";
import type { Clock } from "./clock.ts";

/** How often the volume is looked at. */
const LOOK_MS = 5_000;

/** Percent below the pause from which it goes on: it must not switch with every segment deleted. */
const HYSTERESIS_PERCENT = 2;

/** Options of {@linkcode DiskGuard}. */
export interface DiskGuardOptions {
  read: () => Promise<DiskUsage>;
  clock: Clock;
  log: Logger;
}

/** Watches a volume. */
export class DiskGuard {
  readonly #options: DiskGuardOptions;
  #reason: string | undefined;
  #unreadable = false;
  #level: "fine" | "warning" | "paused" = "fine";

  constructor(options: DiskGuardOptions) {
    this.#options = options;
  }

  /** Why nothing may be generated; undefined when there is space. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Looks once. A volume that cannot be read does not stop the work. */
  async look(): Promise<void> {
    const { read, log } = this.#options;
    let usage: DiskUsage;
    try {
      usage = await read();
    } catch (error) {
      if (!this.#unreadable) log.warn("disk_unreadable", { error });
      this.#unreadable = true;
      return;
    }
    this.#unreadable = false;
    const { path, used_percent } = usage;
    const from = DISK_PAUSE_PERCENT - (this.#level === "paused" ? HYSTERESIS_PERCENT : 0);
    const level = used_percent >= from
      ? "paused"
      : used_percent >= DISK_WARN_PERCENT
      ? "warning"
      : "fine";
    this.#reason = level === "paused"
      ? `the volume of "${path}" is ${used_percent} % full: paused from ${DISK_PAUSE_PERCENT} %`
      : undefined;
    if (level === this.#level) return;
    this.#level = level;
    if (level === "fine") log.info("disk_fine", { ...usage });
    else log.warn(level === "paused" ? "disk_nearly_full" : "disk_filling", { ...usage });
  }

  /** Looks again and again until told to stop. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.#options.clock.pause(LOOK_MS, stop);
      await this.look();
    }
  }
}
