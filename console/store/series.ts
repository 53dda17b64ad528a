/** Figures over the last minutes, one sample a second. Pure. */

/** Samples kept: five minutes. */
export const SERIES_SAMPLES_MAX = 300;

/** What is drawn over time. */
export const SERIES = [
  "generated",
  "processed",
  "stored",
  "alerts",
  "dead_lettered",
  "lag_processor",
  "lag_sink",
] as const;

/** One of {@linkcode SERIES}. */
export type SeriesName = typeof SERIES[number];

/** Samples by name, oldest first. */
export type History = Readonly<Record<SeriesName, readonly number[]>>;

/** No samples. */
export const EMPTY_HISTORY: History = Object.fromEntries(
  SERIES.map((name) => [name, []]),
) as unknown as History;

/** Adds one sample of each. */
export function addSamples(history: History, samples: Record<SeriesName, number>): History {
  return Object.fromEntries(
    SERIES.map((name) => [name, [...history[name], samples[name]].slice(-SERIES_SAMPLES_MAX)]),
  ) as unknown as History;
}
