/** The newest items of something endless, and how many went before them (H6). Pure. */

/** A bounded list, oldest first. */
export interface Feed<T> {
  readonly items: readonly T[];
  readonly max: number;
  /** Items that came. */
  readonly total: number;
  /** Items that are no longer kept. */
  readonly dropped: number;
}

/** An empty feed. */
export function emptyFeed<T>(max: number): Feed<T> {
  return { items: [], max, total: 0, dropped: 0 };
}

/** The feed with `items` at its end; `skipped` more came but were never handed over. */
export function appendFeed<T>(feed: Feed<T>, items: readonly T[], skipped = 0): Feed<T> {
  if (items.length === 0 && skipped === 0) return feed;
  const all = items.length >= feed.max ? items : [...feed.items, ...items];
  const kept = all.length > feed.max ? all.slice(-feed.max) : all;
  const total = feed.total + items.length + skipped;
  return { items: kept, max: feed.max, total, dropped: total - kept.length };
}
