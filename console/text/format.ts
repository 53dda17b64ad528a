/** Figures as operators read them: short, of a steady width, and with their unit. Pure. */

/** `0`, `950`, `12.3k`, `4.56M`. */
export function count(value: number): string {
  const size = Math.abs(value);
  if (size < 10_000) return String(Math.round(value));
  const [divisor, unit] = size < 1e6 ? [1e3, "k"] : size < 1e9 ? [1e6, "M"] : [1e9, "G"];
  const scaled = value / divisor;
  return `${scaled.toFixed(Math.abs(scaled) < 10 ? 2 : Math.abs(scaled) < 100 ? 1 : 0)}${unit}`;
}

/** `1,234,567`. */
export function grouped(value: number | bigint): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** A rate without its unit: `0`, `0.3`, `49.9`, `1.25k`. */
export function rate(value: number): string {
  return value === 0 ? "0" : Math.abs(value) < 100 ? value.toFixed(1) : count(value);
}

/** `812 B`, `3.4 KiB`, `120 MiB`. */
export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let scaled = value;
  let unit = 0;
  while (scaled >= 1024 && unit < units.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${unit === 0 || scaled >= 100 ? Math.round(scaled) : scaled.toFixed(1)} ${units[unit]}`;
}

/** `8ms`, `480ms`, `3.9s`, `2m10s`; `-` where nothing was measured. */
export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return "-";
  if (value < 1000) return `${Math.round(value)}ms`;
  return value < 60_000 ? `${(value / 1000).toFixed(1)}s` : duration(value / 1000);
}

/** `4s`, `3m20s`, `2h05m`, `3d04h`; `-` for what is not known. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "-";
  const s = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m${two(s % 60)}s`;
  if (s < 86_400) return `${Math.floor(s / 3600)}h${two(Math.floor(s / 60) % 60)}m`;
  return `${Math.floor(s / 86_400)}d${two(Math.floor(s / 3600) % 24)}h`;
}

/** How long ago, `-` for never. A clock a little ahead of ours reads as now. */
export function age(atMs: number | undefined, nowMs: number): string {
  return atMs === undefined || Number.isNaN(atMs) ? "-" : duration((nowMs - atMs) / 1000);
}

/** `08:55:23` in UTC. */
export function clock(ms: number): string {
  return Number.isNaN(ms) ? "-" : new Date(ms).toISOString().slice(11, 19);
}
