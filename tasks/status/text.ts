/** The status as people read it: a pure function from the document to lines. */
import type { Percentiles, PipelineStatus, ServiceStatus } from "../../contracts/status.ts";
import { LATENCY_LEGS } from "../../contracts/status.ts";

type Align = "left" | "right";

function table(rows: readonly (readonly string[])[], align: readonly Align[]): string[] {
  const widths = rows.reduce<number[]>(
    (max, row) => row.map((cell, i) => Math.max(max[i] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    "  " + row.map((cell, i) => {
      const width = widths[i] ?? 0;
      return align[i] === "right" ? cell.padStart(width) : cell.padEnd(width);
    }).join("  ").trimEnd()
  );
}

/** `3d 4h`, `2h 5m`, `3m 20s`, `12s`. */
export function printDuration(seconds: number | null): string {
  if (seconds === null) return "-";
  const units: [string, number][] = [["d", 86_400], ["h", 3600], ["m", 60], ["s", 1]];
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first === -1) return "0s";
  return units.slice(first, first + 2).map(([name, size], index) => {
    const above = index === 0 ? Infinity : units[first]![1];
    return `${Math.floor((seconds % above) / size)}${name}`;
  }).join(" ");
}

/** MiB without decimals. */
function mebibytes(bytes: number | null): string {
  return bytes === null ? "-" : `${Math.round(bytes / 1_048_576)} MiB`;
}

function serviceRow(service: ServiceStatus): string[] {
  const light = service.state === "running" && service.ready ? "ok" : "!!";
  return [
    light,
    service.name,
    service.state === "running" && !service.ready ? "not ready" : service.state,
    service.pid === null ? "-" : String(service.pid),
    printDuration(service.uptime_s),
    String(service.restarts),
    mebibytes(service.rss_bytes),
    service.cpu_percent === null ? "-" : `${Math.round(service.cpu_percent)} %`,
  ];
}

function milliseconds(value: number | null): string {
  return value === null ? "-" : value < 10 ? value.toFixed(1) : String(Math.round(value));
}

function latencyRow(leg: string, { p50, p95, p99 }: Percentiles): string[] {
  return [leg.replaceAll("_", " "), ...[p50, p95, p99].map(milliseconds)];
}

function lagRow(lag: PipelineStatus["lag"][number]): string[] {
  const behind = (to: string): string =>
    lag.committed === "-1" ? "-" : String(BigInt(to) - BigInt(lag.committed));
  return [lag.group, lag.topic, String(lag.partition), lag.committed, lag.stable, lag.end].concat(
    behind(lag.stable),
    behind(lag.end),
  );
}

function problems(status: PipelineStatus): string[] {
  const services = status.services.flatMap((service) => [
    ...service.reasons.map((reason) => `  ${service.name}: ${reason}`),
    ...(service.last_error === null
      ? []
      : [`  ${service.name}, last error: ${service.last_error}`]),
  ]);
  const config = status.config.errors.map((issue) =>
    `  ${issue.file}${issue.line === undefined ? "" : `:${issue.line}`}: ${issue.field}: ` +
    `expected ${issue.expected}, got ${issue.value} (the last good version stays in force)`
  );
  const all = [...services, ...config];
  return all.length === 0 ? [] : ["", "Problems", ...all];
}

/** Prints the document. */
export function printStatus(status: PipelineStatus): string {
  const figures = Object.keys(status.totals) as (keyof PipelineStatus["totals"])[];
  const errors = Object.entries(status.errors).map(([type, count]) => `${type} ${count}`);
  return [
    `Pipeline: ${status.health}   rules ${status.config.rules_version ?? "-"}   memory ${
      mebibytes(status.rss_total_bytes)
    }`,
    "",
    ...table(
      [
        ["", "service", "state", "pid", "uptime", "restarts", "memory", "cpu"],
        ...status.services.map(serviceRow),
      ],
      ["left", "left", "left", "right", "right", "right", "right", "right"],
    ),
    "",
    ...table(
      [
        ["", "total", "per second"],
        ...figures.map((name) => [
          name.replaceAll("_", " "),
          String(status.totals[name]),
          status.rates[name].toFixed(1),
        ]),
      ],
      ["left", "right", "right"],
    ),
    "",
    ...table(
      [
        ["latency in ms", "p50", "p95", "p99"],
        ...LATENCY_LEGS.map((leg) => latencyRow(leg, status.latency_ms[leg])),
      ],
      ["left", "right", "right", "right"],
    ),
    "",
    ...table(
      [
        ["group", "topic", "p", "committed", "stable", "end", "lag", "lag to end"],
        ...status.lag.map(lagRow),
      ],
      ["left", "left", "right", "right", "right", "right", "right", "right"],
    ),
    "",
    `  errors  ${errors.length === 0 ? "none" : errors.join(", ")}`,
    `  dead letters stored  ${status.dead_letter_depth ?? "-"}`,
    ...status.disk.map((disk) => `  disk    ${disk.used_percent} % of the volume of ${disk.path}`),
    ...problems(status),
  ].join("\n");
}
