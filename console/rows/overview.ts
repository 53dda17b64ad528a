/** The overview: the flow as a picture, what the services use, how long things take, the newest alerts. Pure. */
import type { StageName } from "../../contracts/services.ts";
import type { PipelineStatus, ServiceStatus } from "../../contracts/status.ts";
import { LATENCY_LEGS } from "../../contracts/status.ts";
import { groupLag } from "../store/facts.ts";
import type { State } from "../store/state.ts";
import { SERIES_SAMPLES_MAX, type SeriesName } from "../store/series.ts";
import { fitText } from "../text/cells.ts";
import { sparkline } from "../text/chart.ts";
import { age, bytes, count, duration, grouped, milliseconds, rate } from "../text/format.ts";
import { clipLine, type Line, lineOf, type Span, span, type Tone } from "../text/span.ts";
import { alertLine } from "./alert_rows.ts";
import { arrowBlock, beside, drawBox } from "./boxes.ts";
import { conservationLines } from "./conservation_lines.ts";
import { sizeOf } from "./layout.ts";
import { perMinute } from "./rule_rows.ts";
import { serviceLight, serviceTone, serviceWord, symbolsOf } from "./status_marks.ts";

/** Lag that is more than the work of a few seconds. */
const LAG_SECONDS_WARN = 30;
const ARROW_WIDTH = 11;

/** Boxes below this width name things shorter. */
const NARROW = 24;
const SHORT: Readonly<Record<Figure, string>> = {
  generated: "gen",
  processed: "proc",
  stored: "stored",
};

type Figure = "generated" | "processed" | "stored";

function stageBox(
  state: State,
  status: PipelineStatus,
  stage: { name: StageName; figure: Figure; notes: (width: number) => Line },
  width: number,
): Line[] {
  const { ascii } = state.settings;
  const service = status.services.find(({ name }) => name === stage.name)!;
  const up = service.state === "running";
  const series: SeriesName = stage.figure;
  const line = sparkline(state.model.history[series], SERIES_SAMPLES_MAX, {
    width: width - 4,
    ascii,
  });
  const first: Line = up
    ? [
      span(rate(status.rates[stage.figure]), "title"),
      span(`/s ${width < NARROW ? SHORT[stage.figure] : stage.figure}`),
      ...(service.ready ? [] : [span(`  ${serviceWord(service)}`, "warn")]),
    ]
    : [
      span(
        `${serviceWord(service)} ${width < NARROW ? "" : "for "}${
          age(state.model.downSince[stage.name], state.nowMs)
        }`,
        "bad",
      ),
    ];
  return drawBox({
    title: [serviceLight(service, symbolsOf(ascii)), span(` ${stage.name}`, "title")],
    lines: [first, [{ text: line, tone: up ? "accent" : "dim" }], stage.notes(width - 4)],
    tone: serviceTone(service) === "ok" ? "dim" : serviceTone(service),
  }, { width, ascii });
}

/**
 * Offsets between a stage's own positions and the ends it saw: sharper than the group's mirror, which is
 * some seconds old. The group's where the stage does not answer.
 */
function processorLag(state: State, status: PipelineStatus): number {
  const stage = state.model.status?.stages.find(({ name }) => name === "processor");
  if (stage === undefined) return groupLag(status.lag, "processor");
  return stage.partitions.reduce(
    (sum, { end, position }) => sum + Math.max(0, Number(end ?? position) - Number(position)),
    0,
  );
}

/**
 * What the sink has not committed to transactions yet. Offsets count the markers of transactions too, so
 * time is offsets over offsets per second, and records are that time at the rate of records.
 */
function sinkLag(state: State, status: PipelineStatus): { records: number; seconds: number } {
  const topic = status.lag.find(({ group, partition }) => group === "sink" && partition === 0)
    ?.topic;
  const offsets = groupLag(status.lag.filter((one) => one.topic === topic), "sink");
  const perSecond = state.model.partitions.reduce(
    (sum, view) => sum + (view.topic === topic ? view.rate : 0),
    0,
  );
  if (offsets === 0) return { records: 0, seconds: 0 };
  // Right after the start no rate is known yet.
  if (perSecond <= 0) {
    return { records: offsets, seconds: status.rates.processed > 0 ? NaN : Infinity };
  }
  const seconds = offsets / perSecond;
  return { records: Math.min(offsets, seconds * status.rates.processed), seconds };
}

/** Records behind and how long the stage needs for them at its rate of now. */
function lagArrow(
  records: number,
  seconds: number,
): { over: string; under: string; tone: Tone } {
  const tone = seconds > LAG_SECONDS_WARN ? "warn" : "dim";
  const under = Number.isNaN(seconds)
    ? ""
    : seconds === Infinity
    ? "standing"
    : seconds < 1
    ? "<1s"
    : `~${duration(seconds)}`;
  return { over: `lag ${count(records)}`, under, tone };
}

/** The three stages and what lies between them. */
function flowLines(state: State, status: PipelineStatus, width: number): Line[] {
  const { ascii } = state.settings;
  const { totals, rates } = status;
  const box = Math.floor((width - 2 * ARROW_WIDTH) / 3);
  const last = width - 2 * (ARROW_WIDTH + box);
  const generator = state.model.status?.stages.find(({ name }) => name === "generator")?.details;
  const asked = generator?.paused === true
    ? span("paused", "warn")
    : span(`of ${generator?.rate_per_second ?? "?"}/s${box < NARROW ? "" : " asked"}`, "dim");
  const boxes = [
    stageBox(state, status, {
      name: "generator",
      figure: "generated",
      notes: (room) => [span(`${count(totals.published)}${room < NARROW ? " " : " sent "}`), asked],
    }, box),
    stageBox(state, status, {
      name: "processor",
      figure: "processed",
      notes: (room) => [
        span(`${count(totals.alerts)} alerts `, totals.alerts > 0 ? "warn" : "plain"),
        span(room < NARROW - 4 ? "" : `${count(totals.dead_lettered)} dead`, "dim"),
      ],
    }, box),
    stageBox(state, status, {
      name: "sink",
      figure: "stored",
      notes: (room) => [
        span(`${count(totals.stored)} ${room < NARROW - 4 ? "" : "stored "}`),
        freshness(state),
      ],
    }, last),
  ];
  const height = boxes[0]!.length;
  const ahead = processorLag(state, status);
  const behind = sinkLag(state, status);
  const aheadSeconds = ahead === 0 ? 0 : rates.processed > 0 ? ahead / rates.processed : Infinity;
  const arrows = [
    lagArrow(ahead, aheadSeconds),
    lagArrow(behind.records, behind.seconds),
  ].map((arrow) => arrowBlock(arrow, { width: ARROW_WIDTH, height, ascii }));
  return beside(
    [boxes[0]!, arrows[0]!, boxes[1]!, arrows[1]!, boxes[2]!],
    [box, ARROW_WIDTH, box, ARROW_WIDTH, last],
  );
}

/** Age of the newest commit of transactions: what a query sees. */
function freshness(state: State): Span {
  const table = state.model.tables.find(({ name }) => name === "transactions");
  return span(table?.atMs === undefined ? "" : `fresh ${age(table.atMs, state.nowMs)}`, "dim");
}

function serviceLines(state: State, services: readonly ServiceStatus[], width: number): Line[] {
  const symbols = symbolsOf(state.settings.ascii);
  const wide = width >= 58;
  const head = `  ${"service".padEnd(10)} ${"state".padEnd(11)} ${"cpu".padStart(5)} ${
    "memory".padStart(8)
  }${wide ? ` ${"uptime".padStart(7)} ${"restarts".padStart(8)}` : ""}`;
  return [
    lineOf(head, "dim"),
    ...services.map((service): Line => [
      serviceLight(service, symbols),
      span(` ${service.name.padEnd(10)} `),
      span(serviceWord(service).padEnd(11), serviceTone(service)),
      span(
        ` ${
          service.cpu_percent === null ? "    -" : `${Math.round(service.cpu_percent)}%`.padStart(5)
        }` +
          ` ${(service.rss_bytes === null ? "-" : bytes(service.rss_bytes)).padStart(8)}`,
      ),
      ...(wide
        ? [
          span(` ${duration(service.uptime_s).padStart(7)}`, "dim"),
          span(` ${String(service.restarts).padStart(8)}`, service.restarts > 0 ? "warn" : "dim"),
        ]
        : []),
    ]),
  ];
}

function latencyLines(status: PipelineStatus): Line[] {
  const cell = (text: string): string => fitText(text, 7, "right");
  return [
    lineOf(`${"latency".padEnd(16)}${["p50", "p95", "p99"].map(cell).join("")}`, "dim"),
    ...LATENCY_LEGS.map((leg): Line => {
      const { p50, p95, p99 } = status.latency_ms[leg];
      const label = leg.replace("generated", "gen").replace("processed", "proc").replace(
        "_to_",
        " → ",
      );
      return [
        span(label.padEnd(16)),
        span([p50, p95, p99].map((value) => cell(milliseconds(value))).join("")),
      ];
    }),
  ];
}

/** What is wrong, since when, and what to do about it. */
export function problemLines(state: State): Line[] {
  const { document } = state.model.status ?? {};
  if (document === undefined) return [];
  const { warn, bad } = symbolsOf(state.settings.ascii);
  if (document.health === "unreachable") {
    const since = Math.min(...Object.values(state.model.downSince));
    const remedy = state.settings.readOnly === false ? "U: deno task up" : "deno task up";
    return [[
      span(`${bad} nothing runs here for ${age(since, state.nowMs)}`, "bad"),
      span(`  (${remedy})`, "dim"),
    ]];
  }
  const services = document.services.flatMap((service): Line[] => {
    if (service.state === "running" && service.ready) return [];
    const since = age(state.model.downSince[service.name], state.nowMs);
    const why = service.reasons[0] ?? service.last_error?.split("\n")[0] ?? "";
    const remedy = service.state === "running" ? "see 6 Logs" : `deno task restart ${service.name}`;
    const tone = serviceTone(service);
    const mark = tone === "bad" ? bad : warn;
    return [[
      span(`${mark} ${service.name} ${serviceWord(service)} for ${since}`, tone),
      span(why === "" ? "" : `: ${why}`),
      span(`  (${remedy})`, "dim"),
    ]];
  });
  const config = document.config.errors.map((issue): Line => [
    span(
      `${bad} ${issue.file}${issue.line === undefined ? "" : `:${issue.line}`} ${issue.field}`,
      "bad",
    ),
    span(`: expected ${issue.expected}, got ${issue.value}; the last good version stays in force`),
  ]);
  return [...services, ...config];
}

/** The body of the overview. */
export function overviewLines(state: State, width: number, height: number): Line[] {
  const status = state.model.status?.document;
  if (status === undefined) return [lineOf("Looking for the pipeline …", "dim")];
  const full = sizeOf(state.ui.columns, state.ui.rows) === "full";
  const latencyWidth = 38;
  const gap: Line[] = full ? [[]] : [];
  const fixed = [
    ...flowLines(state, status, width),
    ...gap,
    ...beside(
      [serviceLines(state, status.services, width - latencyWidth - 1), [], latencyLines(status)],
      [width - latencyWidth - 1, 1, latencyWidth],
    ),
    ...gap,
    ...conservationLines(state),
    ...problemLines(state),
    ...gap,
  ];
  const newest = state.model.alerts.items.slice(-Math.max(0, height - fixed.length - 1)).reverse();
  const lastMinute = Object.values(state.model.fired).reduce(
    (sum, fired) => sum + perMinute(fired, state.nowMs),
    0,
  );
  const title = lineOf(
    `newest alerts: ${
      grouped(state.model.alerts.total)
    } seen here, ${lastMinute} in the last minute`,
    "dim",
  );
  return [...fixed, title, ...newest.map((item) => alertLine(item, state, width))]
    .slice(0, height)
    .map((line) => clipLine(line, width));
}

/** Everything in one line, for terminals too small for more. */
export function summaryLine(state: State): Line {
  const status = state.model.status?.document;
  if (status === undefined) return lineOf("looking for the pipeline …", "dim");
  const symbols = symbolsOf(state.settings.ascii);
  const tone: Tone = status.health === "healthy"
    ? "ok"
    : status.health === "degraded"
    ? "warn"
    : "bad";
  const light = tone === "ok" ? symbols.ok : tone === "warn" ? symbols.warn : symbols.bad;
  const down = status.services.filter(({ state, ready }) => state !== "running" || !ready);
  return [
    span(`${light} ${status.health}`, tone),
    ...(down.length === 0 ? [] : [span(` (${down.map(({ name }) => name).join(", ")})`, "bad")]),
    span(
      ` ${rate(status.rates.generated)}>${rate(status.rates.processed)}>${
        rate(status.rates.stored)
      }/s`,
    ),
    span(` lag ${count(groupLag(status.lag, "processor"))}+${count(groupLag(status.lag, "sink"))}`),
    span(` alerts ${count(status.totals.alerts)}`),
    span("  q quit", "dim"),
  ];
}
