/**
 * Stops writing before a volume is full (design section 6): a warning from 80 %, nothing is written from
 * 95 %, and it goes on by itself when there is space again. Lag grows meanwhile, nothing is lost.
 */
import { DISK_STOP_PERCENT, DISK_WARN_PERCENT, type DiskUsage } from "../runtime/disk.ts";
import type { Logger } from "../runtime/log.ts";

/** How often the volumes are looked at. */
const LOOK_MS = 5000;

/** Percent below the stop from which it goes on: it must not switch with every file removed. */
const HYSTERESIS_PERCENT = 1;

/** Options of {@linkcode DiskGuard}. */
export interface DiskGuardOptions {
  /** Kafka's data, spool and warehouse, as far as they are on this machine. */
  paths: readonly string[];
  read: (path: string) => Promise<DiskUsage>;
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  log: Logger;
}

type Level = "fine" | "warning" | "stopped";

/** Watches volumes. */
export class DiskGuard {
  readonly #options: DiskGuardOptions;
  readonly #levels = new Map<string, Level>();
  readonly #usages = new Map<string, DiskUsage>();

  constructor(options: DiskGuardOptions) {
    this.#options = options;
  }

  /** Why nothing may be written; undefined when there is space. */
  get reason(): string | undefined {
    const full = [...this.#usages.values()].filter(({ path }) =>
      this.#levels.get(path) === "stopped"
    );
    if (full.length === 0) return undefined;
    const list = full.map(({ path, used_percent }) => `"${path}" is ${used_percent} % full`);
    return `writing is stopped from ${DISK_STOP_PERCENT} %: ${list.join(", ")}`;
  }

  /** The last look, for /status. */
  get usages(): DiskUsage[] {
    return [...this.#usages.values()];
  }

  /** Looks once. A volume that cannot be looked at does not stop the work. */
  async look(): Promise<void> {
    for (const path of this.#options.paths) {
      try {
        this.#take(await this.#options.read(path));
      } catch (error) {
        if (this.#usages.has(path) || !this.#levels.has(path)) {
          this.#options.log.warn("disk_unreadable", { path, error });
        }
        this.#usages.delete(path);
        this.#levels.set(path, "fine");
      }
    }
  }

  /** Looks again and again until told to stop. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.#options.sleep(LOOK_MS, stop).catch(() => {});
      if (!stop.aborted) await this.look();
    }
  }

  #take(usage: DiskUsage): void {
    const { path, used_percent } = usage;
    const before = this.#levels.get(path) ?? "fine";
    const stopFrom = DISK_STOP_PERCENT - (before === "stopped" ? HYSTERESIS_PERCENT : 0);
    const level: Level = used_percent >= stopFrom
      ? "stopped"
      : used_percent >= DISK_WARN_PERCENT
      ? "warning"
      : "fine";
    this.#usages.set(path, usage);
    this.#levels.set(path, level);
    if (level === before) return;
    const event = { fine: "disk_fine", warning: "disk_filling", stopped: "disk_full" }[level];
    this.#options.log[level === "stopped" ? "error" : level === "warning" ? "warn" : "info"](
      event,
      { ...usage },
    );
  }
}
