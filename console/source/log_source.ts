/** The merged log of all programs. */
import type { ConsolePorts } from "../ports.ts";
import type { Fact } from "../store/facts.ts";
import type { LogItem } from "../store/model.ts";
import { poll } from "./poll.ts";

const POLL_MS = 1000;

/** `2026-11-21T08:55:30.924Z [thread] INFO logger - text`, as the Java services write it. */
const JAVA = /^(\S+Z?) \[([^\]]*)\] (TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\s+(\S+) - (.*)$/s;

const JAVA_LEVELS: Readonly<Record<string, string>> = { TRACE: "debug", FATAL: "error" };

function javaItem(line: string, program: string): Omit<LogItem, "id" | "seq"> | undefined {
  const match = JAVA.exec(line);
  if (match === null) return undefined;
  const [, ts, thread, level, logger, message] = match;
  return {
    atMs: Date.parse(ts!),
    level: JAVA_LEVELS[level!] ?? level!.toLowerCase(),
    component: program,
    event: logger!.split(".").at(-1)!,
    fields: { message, thread, logger },
  };
}

/** A line of a log: a stage's JSON, a Java program's, or whatever it is. Pure. */
export function parseLogLine(
  line: string,
  { program, seq, nowMs }: { program: string; seq: number; nowMs: number },
): LogItem {
  const head = { id: `l${seq}`, seq };
  if (line.startsWith("{")) {
    try {
      const { ts, level, component, event, session_id: _, ...fields } = JSON.parse(line);
      if (typeof ts === "string" && typeof event === "string") {
        return { ...head, atMs: Date.parse(ts), level, component, event, fields };
      }
    } catch {
      // A line cut by a crash is shown as text.
    }
  }
  const java = javaItem(line, program);
  if (java !== undefined) return { ...head, ...java };
  return {
    ...head,
    atMs: nowMs,
    level: "info",
    component: program,
    event: "",
    fields: { message: line },
  };
}

/** Runs until the signal aborts. Ends at once where the logs are not here. */
export async function watchLogs(
  { readLogs, now }: Pick<ConsolePorts, "readLogs" | "now">,
  emit: (fact: Fact) => void,
  signal: AbortSignal,
): Promise<void> {
  if (readLogs === undefined) return;
  let seq = 0;
  await poll({
    everyMs: () => POLL_MS,
    signal,
    ask: async () => {
      const batches = await readLogs();
      const nowMs = now();
      const items = batches.flatMap(({ program, lines }) =>
        lines.filter((line) => line.trim() !== "")
          .map((line) => parseLogLine(line, { program, seq: ++seq, nowMs }))
      );
      if (items.length > 0) emit({ type: "logs", items: items.sort((a, b) => a.atMs - b.atMs) });
    },
    failed: () => {},
  });
}
