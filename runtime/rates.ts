/** Events per second over the last seconds, without a clock of its own (conventions C15). */

/** A rolling count. */
export interface Rate {
  add(n: number, nowMs: number): void;
  /** Mean over the window, or over the time since the first event where that is shorter. */
  perSecond(nowMs: number): number;
}

const SLOTS = 20;

/** Makes a rate over `windowMs` (10 s by default), in 20 slots. */
export function createRate(options: { windowMs?: number } = {}): Rate {
  const { windowMs = 10_000 } = options;
  const slotMs = windowMs / SLOTS;
  // One slot more than the window holds: the oldest counts by the share of it that is still inside.
  const counts = new Float64Array(SLOTS + 1);
  let newest = -1;
  let firstMs = Infinity;
  function rotate(nowMs: number): void {
    const slot = Math.floor(nowMs / slotMs);
    if (newest < 0 || slot - newest > SLOTS) counts.fill(0);
    else for (let at = newest + 1; at <= slot; at++) counts[at % counts.length] = 0;
    // A clock that was set back goes on in the slot that is open.
    newest = Math.max(newest, slot);
  }
  return {
    add(n, nowMs) {
      firstMs = Math.min(firstMs, nowMs);
      rotate(nowMs);
      counts[newest % counts.length]! += n;
    },
    perSecond(nowMs) {
      if (firstMs === Infinity) return 0;
      rotate(nowMs);
      const into = Math.min(1, Math.max(0, nowMs / slotMs - newest));
      let sum = 0;
      for (let back = 0; back <= SLOTS; back++) {
        const slot = newest - back;
        if (slot < 0) break;
        sum += counts[slot % counts.length]! * (back === SLOTS ? 1 - into : 1);
      }
      const spanMs = Math.min(windowMs, Math.max(slotMs, nowMs - firstMs));
      return sum * 1000 / spanMs;
    },
  };
}
