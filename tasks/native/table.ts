/** The last lines of `deno task up`: services, addresses, memory, and what to do next. */
import type { SupervisorState } from "./state.ts";

const MIB = 1024 ** 2;

/** Aligned columns, the first row being the header. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => widths[column] = Math.max(widths[column] ?? 0, cell.length));
  }
  return rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
  );
}

/** The table of services. */
export function serviceTable(state: SupervisorState): string[] {
  const rows = state.services.map((service) => [
    service.name,
    service.ready ? "ready" : service.state,
    service.address,
    service.pid === null ? "-" : String(service.pid),
    service.rss_bytes === null ? "-" : `${Math.round(service.rss_bytes / MIB)} MiB`,
    service.ready || service.state === "stopped" ? "" : service.reasons.join("; "),
  ]);
  const supervisor = [
    "supervisor",
    state.phase,
    "",
    String(state.supervisor.pid),
    `${Math.round(state.supervisor.rss_bytes / MIB)} MiB`,
    "",
  ];
  const all = state.services.reduce((sum, service) => sum + (service.rss_bytes ?? 0), 0);
  const total = `${Math.round((all + state.supervisor.rss_bytes) / MIB)} MiB`;
  const header = ["SERVICE", "STATE", "ADDRESS", "PID", "MEMORY", ""];
  return alignColumns([header, ...rows, supervisor, ["total", "", "", "", total, ""]]);
}

/** What a user does next. */
export const NEXT_COMMANDS: readonly string[] = [
  "deno task query --table transactions --limit 5    see rows (the first after some 10 s)",
  "deno task status --watch                          figures, lag, latencies",
  "deno task down                                    stop; the data stays",
];
