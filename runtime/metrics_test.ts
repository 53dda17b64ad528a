import { assertEquals, assertThrows } from "@std/assert";
import { createMetrics, SERIES_MAX } from "./metrics.ts";

Deno.test("print() gives Prometheus's text format", () => {
  const metrics = createMetrics();
  const sent = metrics.counter("sent_total", "Records sent", ["topic"]);
  sent.inc(2, { topic: 'a"b\\c\nd' });
  metrics.gauge("buffered", "Held\nback").set(1.5);
  const seconds = metrics.histogram("latency_seconds", "Latency", [0.1, 1]);
  seconds.observe(0.1);
  seconds.observe(0.5, {}, 2);
  seconds.observe(7);
  assertEquals(
    metrics.print(),
    `# HELP sent_total Records sent
# TYPE sent_total counter
sent_total{topic="a\\"b\\\\c\\nd"} 2
# HELP buffered Held\\nback
# TYPE buffered gauge
buffered 1.5
# HELP latency_seconds Latency
# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.1"} 1
latency_seconds_bucket{le="1"} 3
latency_seconds_bucket{le="+Inf"} 4
latency_seconds_sum 8.1
latency_seconds_count 4
`,
  );
});

Deno.test("a counter without labels is there from the start, and never goes down", () => {
  const metrics = createMetrics();
  const counter = metrics.counter("x_total", "X");
  assertEquals(metrics.print().split("\n")[2], "x_total 0");
  assertThrows(() => counter.inc(-1), RangeError, "only grows");
});

Deno.test("quantile() interpolates inside the bucket", () => {
  const histogram = createMetrics().histogram("h", "H", [10, 20, 40]);
  assertEquals(histogram.quantile(0.5), null);
  histogram.observe(5, {}, 10);
  histogram.observe(15, {}, 10);
  // Rank 10 of 20 is the end of the first bucket, rank 15 the middle of the second.
  assertEquals([histogram.quantile(0.5), histogram.quantile(0.75)], [10, 15]);
  histogram.observe(1000, {}, 1000);
  assertEquals(histogram.quantile(0.99), 40);
});

Deno.test("a metric cannot grow without end", () => {
  const metrics = createMetrics();
  const counter = metrics.counter("c_total", "C", ["id"]);
  for (let i = 0; i < SERIES_MAX + 5; i++) counter.inc(1, { id: i });
  assertEquals(metrics.print().split("\n").length, 2 + SERIES_MAX + 1 + 1);
  assertEquals(counter.value({ id: "other" }), 5);
});

Deno.test("a label that was not declared and a name given twice are refused", () => {
  const metrics = createMetrics();
  const counter = metrics.counter("c_total", "C");
  assertThrows(() => counter.inc(1, { id: 1 }), RangeError, 'no label "id"');
  assertThrows(() => metrics.gauge("c_total", "C"), RangeError, "there already");
  assertThrows(() => metrics.gauge("c-d", "C"), RangeError, "not a metric name");
});
