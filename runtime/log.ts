/** The log: one JSON object a line on stdout (design section 9). */

/** Levels, least urgent first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** One of {@linkcode LOG_LEVELS}. */
export type LogLevel = typeof LOG_LEVELS[number];

/** What a line carries beside ts, level, component, session_id and event. */
export type LogFields = Record<string, unknown>;

/** Writes events; `event` is a short name in snake_case, the rest goes into fields. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** The same log under another component. */
  child(component: string): Logger;
}

/** Options of {@linkcode createLogger}. */
export interface LoggerOptions {
  component: string;
  /** UUID of this run of the process. */
  sessionId: string;
  /** Takes one line without its line end. @default stdout */
  write?: (line: string) => void;
  /** ms since the epoch. @default {Date.now} */
  now?: () => number;
  /** Lines below are left out. @default {"info"} */
  levelMin?: LogLevel;
}

/** Longest chain of causes that is printed. */
const CAUSES_MAX = 8;

const encoder = new TextEncoder();

function writeStdout(line: string): void {
  const bytes = encoder.encode(line + "\n");
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  } catch {
    // Whoever read the log is gone (EPIPE): the stage's work matters more than its words.
  }
}

/** An error as data: name, message, stack, cause, and the fields that its class adds. */
export function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause, ...own } = error as Error & Record<string, unknown>;
  return {
    ...own,
    name: name ?? error.name,
    message,
    stack,
    ...(cause === undefined || depth >= CAUSES_MAX
      ? {}
      : { cause: describeError(cause, depth + 1) }),
  };
}

function toJson(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) return describeError(value);
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  return value;
}

function print(line: LogFields, event: string): string {
  try {
    return JSON.stringify(line, toJson);
  } catch (error) {
    // A circular value must not turn a log line into a crash.
    const { ts, level, component, session_id } = line;
    return JSON.stringify({
      ts,
      level,
      component,
      session_id,
      event,
      unprintable: error instanceof Error ? error.message : String(error),
    });
  }
}

/** Makes a log. */
export function createLogger(options: LoggerOptions): Logger {
  const { component, sessionId, write = writeStdout, now = Date.now, levelMin = "info" } = options;
  const min = LOG_LEVELS.indexOf(levelMin);
  function line(level: LogLevel, event: string, fields: LogFields | undefined): void {
    if (LOG_LEVELS.indexOf(level) < min) return;
    const head = {
      ts: new Date(now()).toISOString(),
      level,
      component,
      session_id: sessionId,
      event,
    };
    // The head wins over a field of the same name: readers rely on it.
    write(print({ ...head, ...fields, ...head }, event));
  }
  return {
    debug: (event, fields) => line("debug", event, fields),
    info: (event, fields) => line("info", event, fields),
    warn: (event, fields) => line("warn", event, fields),
    error: (event, fields) => line("error", event, fields),
    child: (name) => createLogger({ ...options, component: name }),
  };
}
