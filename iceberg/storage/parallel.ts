/** Metadata files read at a time: enough to hide a remote store's latency, few enough to bound memory. */
const READS_MAX = 8;

/** Maps with a few calls at a time; results in the order of the items. */
export async function mapLimited<T, R>(
  items: readonly T[],
  run: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  async function worker(): Promise<void> {
    while (next < items.length) {
      const index = next++;
      results[index] = await run(items[index]!);
    }
  }
  await Promise.all(Array.from({ length: Math.min(READS_MAX, items.length) }, worker));
  return results;
}
