/**
 * Counters, gauges and histograms in Prometheus's text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). No clock, no I/O.
 */

/** Values of a metric's labels, by name. */
export type Labels = Record<string, string | number>;

/** Only grows. */
export interface Counter {
  /** @default n = 1 */
  inc(n?: number, labels?: Labels): void;
  /** 0 where nothing was counted. */
  value(labels?: Labels): number;
}

/** Goes up and down. */
export interface Gauge {
  set(value: number, labels?: Labels): void;
  value(labels?: Labels): number;
}

/** Counts observations by size. */
export interface Histogram {
  /** @default count = 1 */
  observe(value: number, labels?: Labels, count?: number): void;
  /** By linear interpolation inside a bucket, as PromQL does; null without observations. */
  quantile(q: number, labels?: Labels): number | null;
}

/** A set of metrics. */
export interface Metrics {
  /** `name` ends with `_total`. */
  counter(name: string, help: string, labelNames?: readonly string[]): Counter;
  gauge(name: string, help: string, labelNames?: readonly string[]): Gauge;
  /** `buckets` are upper bounds, ascending; +Inf is added. */
  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames?: readonly string[],
  ): Histogram;
  /** The whole set as text. */
  print(): string;
}

/** Most label combinations of one metric; further ones are counted under `other` (H6). */
export const SERIES_MAX = 1000;

/** Bounds in seconds for latencies from 1 ms to 10 min. */
export const LATENCY_BUCKETS_S: readonly number[] = [
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  30,
  60,
  120,
  300,
  600,
];

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** Series of one metric, by their printed labels. */
function createSeries<T>(name: string, labelNames: readonly string[], make: () => T) {
  const series = new Map<string, T>();
  function key(labels: Labels): string {
    for (const label of Object.keys(labels)) {
      if (!labelNames.includes(label)) {
        throw new RangeError(`Cannot label metric "${name}": it has no label "${label}"`);
      }
    }
    return labelNames.map((label) => `${label}="${escapeLabel(String(labels[label] ?? ""))}"`)
      .join(",");
  }
  const other = labelNames.map((label) => `${label}="other"`).join(",");
  return {
    all: series,
    find: (labels: Labels = {}): T | undefined => series.get(key(labels)),
    get(labels: Labels = {}): T {
      let at = key(labels);
      if (!series.has(at) && series.size >= SERIES_MAX) at = other;
      let one = series.get(at);
      if (one === undefined) series.set(at, one = make());
      return one;
    },
  };
}

function printValue(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return String(value);
}

function sample(name: string, labels: string, value: number): string {
  return `${name}${labels === "" ? "" : `{${labels}}`} ${printValue(value)}\n`;
}

function head(name: string, help: string, type: string): string {
  const text = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return `# HELP ${name} ${text}\n# TYPE ${name} ${type}\n`;
}

interface Buckets {
  counts: Float64Array;
  sum: number;
  count: number;
}

function quantileOf(bounds: readonly number[], buckets: Buckets, q: number): number | null {
  if (buckets.count === 0) return null;
  const rank = q * buckets.count;
  let seen = 0;
  for (let i = 0; i < bounds.length; i++) {
    const here = buckets.counts[i]!;
    if (here > 0 && seen + here >= rank) {
      const low = i === 0 ? 0 : bounds[i - 1]!;
      return low + (bounds[i]! - low) * Math.max(0, (rank - seen) / here);
    }
    seen += here;
  }
  return bounds.at(-1)!;
}

function createHistogram(
  name: string,
  bounds: readonly number[],
  labelNames: readonly string[],
): { metric: Histogram; print: () => string } {
  if (bounds.length === 0 || bounds.some((bound, i) => i > 0 && !(bound > bounds[i - 1]!))) {
    throw new RangeError(`Cannot make histogram "${name}": its bounds must ascend`);
  }
  const series = createSeries<Buckets>(name, labelNames, () => ({
    counts: new Float64Array(bounds.length + 1),
    sum: 0,
    count: 0,
  }));
  const metric: Histogram = {
    observe(value, labels, count = 1) {
      const buckets = series.get(labels);
      let at = bounds.findIndex((bound) => value <= bound);
      if (at < 0) at = bounds.length;
      buckets.counts[at]! += count;
      buckets.sum += value * count;
      buckets.count += count;
    },
    quantile(q, labels) {
      const buckets = series.find(labels);
      return buckets === undefined ? null : quantileOf(bounds, buckets, q);
    },
  };
  function print(): string {
    let text = "";
    for (const [labels, buckets] of series.all) {
      const prefix = labels === "" ? "" : labels + ",";
      let cumulative = 0;
      for (let i = 0; i <= bounds.length; i++) {
        cumulative += buckets.counts[i]!;
        const le = `${prefix}le="${printValue(bounds[i] ?? Infinity)}"`;
        text += sample(`${name}_bucket`, le, cumulative);
      }
      text += sample(`${name}_sum`, labels, buckets.sum);
      text += sample(`${name}_count`, labels, buckets.count);
    }
    return text;
  }
  return { metric, print };
}

/** Makes an empty set. */
export function createMetrics(): Metrics {
  const metrics = new Map<string, () => string>();
  function register(name: string, print: () => string): void {
    if (!NAME.test(name)) throw new RangeError(`Cannot make metric "${name}": not a metric name`);
    if (metrics.has(name)) {
      throw new RangeError(`Cannot make metric "${name}": it is there already`);
    }
    metrics.set(name, print);
  }
  function scalar(name: string, help: string, type: string, labelNames: readonly string[]) {
    const series = createSeries(name, labelNames, () => ({ value: 0 }));
    // A metric without labels exists from the start, so that a rate over it has a first point.
    if (labelNames.length === 0) series.get();
    register(name, () => {
      let text = head(name, help, type);
      for (const [labels, one] of series.all) text += sample(name, labels, one.value);
      return text;
    });
    return series;
  }
  return {
    counter(name, help, labelNames = []) {
      const series = scalar(name, help, "counter", labelNames);
      return {
        inc(n = 1, labels) {
          if (!(n >= 0)) throw new RangeError(`Cannot count ${n} in "${name}": it only grows`);
          series.get(labels).value += n;
        },
        value: (labels) => series.find(labels)?.value ?? 0,
      };
    },
    gauge(name, help, labelNames = []) {
      const series = scalar(name, help, "gauge", labelNames);
      return {
        set(value, labels) {
          series.get(labels).value = value;
        },
        value: (labels) => series.find(labels)?.value ?? 0,
      };
    },
    histogram(name, help, buckets, labelNames = []) {
      const { metric, print } = createHistogram(name, buckets, labelNames);
      register(name, () => head(name, help, "histogram") + print());
      return metric;
    },
    print: () => [...metrics.values()].map((print) => print()).join(""),
  };
}
