/** Lines of a prompt → statements. Pure. */
import { tokens } from "../sql/tokens.ts";

/** What a line makes of what was typed before it. */
export type Entry =
  | { kind: "more"; text: string }
  | { kind: "sql"; sql: string }
  | { kind: "command"; name: string; argument: string }
  | { kind: "nothing" };

/** Adds a line: SQL ends with `;`, a command is a line of its own that begins with a dot. */
export function addLine(before: string, line: string): Entry {
  if (before.trim() === "") {
    const command = /^\s*\.(\w+)\s*(.*?)\s*$/.exec(line);
    if (command !== null) return { kind: "command", name: command[1]!, argument: command[2]! };
    if (line.trim() === "") return { kind: "nothing" };
  }
  const text = before === "" ? line : `${before}\n${line}`;
  const all = [...tokens(text)];
  if (all.at(-1)?.text !== ";") return { kind: "more", text };
  return all.length === 1 ? { kind: "nothing" } : { kind: "sql", sql: text };
}
