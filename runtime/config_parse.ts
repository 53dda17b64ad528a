/** Settings from YAML text: all that is wrong with it, each with its line; or the value (H5). Pure. */
import { type Document, isCollection, isMap, isPair, LineCounter, parseDocument } from "@std/yaml";
import type { z } from "zod";
import type { ConfigIssue } from "../contracts/errors.ts";

/** A value, or everything that keeps it from being one. */
export type Parsed<T> = { ok: true; value: T } | { ok: false; issues: ConfigIssue[] };

/** Longest value text in an issue. */
const VALUE_LENGTH_MAX = 120;

/** Most issues that are reported of one file. */
const ISSUES_MAX = 50;

type Path = readonly PropertyKey[];

/** A value as JSON text, shortened. */
export function printConfigValue(value: unknown): string {
  if (value === undefined) return "nothing";
  let text: string;
  try {
    text = JSON.stringify(value, (_, inner) => typeof inner === "bigint" ? String(inner) : inner) ??
      String(value);
  } catch {
    text = String(value);
  }
  return text.length <= VALUE_LENGTH_MAX ? text : text.slice(0, VALUE_LENGTH_MAX - 1) + "…";
}

/** `rules[2].parameters.amount`; `$` for the whole. */
export function printConfigPath(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += (text === "" ? "" : ".") + String(part);
  }
  return text === "" ? "$" : text;
}

/** Line of the node at `path`; of the nearest enclosing one where it is missing. */
function lineOf(doc: Document, lines: LineCounter, path: Path, key?: string): number | undefined {
  let node: unknown = doc.contents;
  let offset: number | undefined = isCollection(node) ? node.range?.[0] : undefined;
  const steps = key === undefined ? path : [...path, key];
  for (const step of steps) {
    if (!isCollection(node)) break;
    if (isMap(node)) {
      const pair = node.items.find((item) =>
        isPair(item) && String((item.key as { value?: unknown })?.value ?? item.key) === step
      );
      if (pair === undefined) break;
      offset = (pair.key as { range?: [number, number, number] }).range?.[0] ?? offset;
      node = pair.value;
    } else {
      node = node.items[step as number];
      offset = (node as { range?: [number, number, number] } | undefined)?.range?.[0] ?? offset;
    }
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, step) => at === null || typeof at !== "object" ? undefined : Reflect.get(at, step),
    value,
  );
}

type ZodIssue = z.core.$ZodIssue;

/** The demand alone: zod's messages say "Invalid input: expected number, received string". */
function expectationOf(issue: ZodIssue): string {
  // Without branches no variant was even tried: the message is all there is.
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const branches = issue.errors.flatMap((errors) => errors.slice(0, 1).map(expectationOf));
    return [...new Set(branches)].join(" or ");
  }
  const match = /expected (.*?)(?:, received [^,]*)?$/s.exec(issue.message);
  return match === null ? issue.message : match[1]!;
}

/**
 * The innermost issue of a union where one branch fits the shape, so that a wrong value deep inside
 * is reported there and not as "nothing fits" on the outside.
 */
function unwrapUnion(issue: ZodIssue, prefix: Path = []): { issue: ZodIssue; path: Path } {
  const path = [...prefix, ...issue.path];
  if (issue.code === "invalid_union") {
    const deep = issue.errors.flat().filter((inner) => inner.path.length > 0);
    const shallow = issue.errors.filter((errors) => errors.every((one) => one.path.length === 0));
    if (deep.length > 0 && issue.errors.length - shallow.length === 1) {
      return unwrapUnion(deep[0]!, path);
    }
  }
  return { issue, path };
}

function schemaIssues(
  error: z.core.$ZodError,
  options: { file: string; doc: Document; lines: LineCounter; value: unknown },
): ConfigIssue[] {
  const { file, doc, lines, value } = options;
  function report(path: Path, actual: unknown, expected: string, key?: string): ConfigIssue {
    const line = lineOf(doc, lines, path, key);
    const field = printConfigPath(key === undefined ? path : [...path, key]);
    return {
      file,
      ...(line === undefined ? {} : { line }),
      field,
      value: printConfigValue(actual),
      expected,
    };
  }
  return error.issues.flatMap((outer) => {
    const { issue, path } = unwrapUnion(outer);
    if (issue.code === "unrecognized_keys") {
      const parent = valueAt(value, path);
      return issue.keys.map((key) =>
        report(path, valueAt(parent, [key]), "no field of this name", key)
      );
    }
    return [report(path, valueAt(value, path), expectationOf(issue))];
  });
}

/**
 * Parses `text` as one YAML 1.2 document and checks it against `schema`. `file` is what issues name.
 *
 * An empty document is an issue, not the defaults: a file that an editor has just truncated is empty,
 * and must not be applied. Write `{}` for all defaults.
 */
export function parseConfigText<T>(
  text: string,
  file: string,
  schema: z.ZodType<T>,
): Parsed<T> {
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true });
  const broken = [...doc.errors, ...doc.warnings];
  if (broken.length > 0) {
    const all = text.split("\n");
    return {
      ok: false,
      issues: broken.slice(0, ISSUES_MAX).map((error) => {
        const line = lines.linePos(error.pos[0]).line;
        const key = /^\s*-?\s*([A-Za-z_]\w*)\s*:/.exec(all[line - 1] ?? "")?.[1];
        return {
          file,
          line,
          field: key ?? "$",
          value: printConfigValue((all[line - 1] ?? "").trim()),
          expected: `valid YAML (${error.message.replace(/\s+/g, " ")})`,
        };
      }),
    };
  }
  let value: unknown;
  try {
    value = doc.toJS({ maxAliasCount: 100 });
  } catch (error) {
    const expected = `valid YAML (${(error as Error).message})`;
    return { ok: false, issues: [{ file, line: 1, field: "$", value: "the file", expected }] };
  }
  if (value === null || value === undefined) {
    const expected = "a mapping; write {} for all defaults";
    return { ok: false, issues: [{ file, line: 1, field: "$", value: "an empty file", expected }] };
  }
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  const issues = schemaIssues(result.error, { file, doc, lines, value });
  return { ok: false, issues: issues.slice(0, ISSUES_MAX) };
}
