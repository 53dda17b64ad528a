/** Lights and words for states: never a colour alone. Pure. */
import type { ServiceStatus } from "../../contracts/status.ts";
import type { Severity } from "../../contracts/alert.ts";
import { type Span, span, type Tone } from "../text/span.ts";

/** Symbols with and without Unicode. */
export interface Symbols {
  ok: string;
  warn: string;
  bad: string;
  off: string;
  arrow: string;
  line: string;
  up: string;
}

/** The symbols of a terminal. */
export function symbolsOf(ascii: boolean): Symbols {
  return ascii
    ? { ok: "*", warn: "!", bad: "X", off: "o", arrow: ">", line: "-", up: "|" }
    : { ok: "●", warn: "▲", bad: "✖", off: "○", arrow: "▶", line: "─", up: "│" };
}

/** How a service is, in one word. */
export function serviceWord(service: ServiceStatus): string {
  return service.state === "running" && !service.ready ? "not ready" : service.state;
}

/** Its tone. */
export function serviceTone(service: ServiceStatus): Tone {
  if (service.state === "running") return service.ready ? "ok" : "warn";
  return service.state === "starting" ? "warn" : "bad";
}

/** Its light. */
export function serviceLight(service: ServiceStatus, symbols: Symbols): Span {
  const tone = serviceTone(service);
  const symbol = tone === "ok" ? symbols.ok : tone === "warn" ? symbols.warn : symbols.bad;
  return span(service.state === "stopped" ? symbols.off : symbol, tone);
}

/** Tone of a severity. */
export const SEVERITY_TONES: Readonly<Record<Severity, Tone>> = {
  low: "dim",
  medium: "accent",
  high: "warn",
  critical: "bad",
};

/** Sort order of severities. */
export const SEVERITY_RANK: Readonly<Record<Severity, number>> = {
  low: 0,
  medium: 1,
  high: 2,
  critical: 3,
};
