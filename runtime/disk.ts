/** How full a volume is (design section 6). */
import { statfs } from "node:fs/promises";
import { dirname } from "./path.ts";

/** From here a warning is shown. */
export const DISK_WARN_PERCENT = 80;

/** From here the generator pauses. */
export const DISK_PAUSE_PERCENT = 90;

/** From here writes stop. */
export const DISK_STOP_PERCENT = 95;

/** A volume, named by a path on it. */
export interface DiskUsage {
  path: string;
  /** Of what this user may use, as df counts it: blocks reserved for root are not there. */
  used_percent: number;
  free_bytes: number;
}

/** The counts of statfs(2) that matter here. */
export interface BlockCounts {
  bsize: number;
  blocks: number;
  bfree: number;
  bavail: number;
}

/** df's percentage: used over used plus available; 0 for file systems that count no blocks. */
export function usedPercent(counts: BlockCounts): number {
  const used = counts.blocks - counts.bfree;
  const usable = used + counts.bavail;
  return usable <= 0 ? 0 : Math.round(used / usable * 1000) / 10;
}

/**
 * Reads the volume of `path`, or of its nearest folder that exists (a data folder before its first
 * use). Needs read permission on the path and `--allow-sys=statfs`.
 */
export async function readDisk(path: string): Promise<DiskUsage> {
  for (let at = path;; at = dirname(at)) {
    try {
      const counts = await statfs(at);
      return { path, used_percent: usedPercent(counts), free_bytes: counts.bavail * counts.bsize };
    } catch (error) {
      const missing = (error as { code?: string }).code === "ENOENT";
      if (!missing || dirname(at) === at) throw error;
    }
  }
}
