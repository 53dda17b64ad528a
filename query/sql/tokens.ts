/**
 * The words of an SQL text with their places. DuckDB's parser decides what a text means; this only finds
 * where a part that the parser named begins and ends, so that the rest stays as it was written.
 */

/** A token; white space and comments are left out. */
export interface Token {
  /** `name` also stands for keywords and numbers. */
  kind: "name" | "quoted" | "text" | "mark";
  /** As written. */
  text: string;
  /** Offset in the text, UTF-16 units. */
  start: number;
  end: number;
}

/** Where a quoted part that begins at `start` ends; the end of the text if it never does. */
function quotedEnd(sql: string, start: number, options: { backslash: boolean }): number {
  const quote = sql[start]!;
  for (let at = start + 1; at < sql.length; at++) {
    if (options.backslash && sql[at] === "\\") at++;
    else if (sql[at] === quote) {
      if (sql[at + 1] !== quote) return at + 1;
      at++;
    }
  }
  return sql.length;
}

/** Where a block comment ends; they nest. */
function commentEnd(sql: string, start: number): number {
  let depth = 0;
  for (let at = start; at < sql.length; at++) {
    const two = sql.slice(at, at + 2);
    if (two === "/*") {
      depth++;
      at++;
    } else if (two === "*/") {
      at++;
      if (--depth === 0) return at + 1;
    }
  }
  return sql.length;
}

const NAME = /[\p{L}_][\p{L}\p{N}_$]*|\p{N}[\p{L}\p{N}_.]*/uy;
const DOLLAR = /\$([\p{L}_][\p{L}\p{N}_]*)?\$/uy;

function matchAt(pattern: RegExp, sql: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0];
}

/** The token that begins at `start`. */
function tokenAt(sql: string, start: number): Token {
  const token = (kind: Token["kind"], end: number): Token => ({
    kind,
    text: sql.slice(start, end),
    start,
    end,
  });
  const first = sql[start]!;
  if (first === '"') return token("quoted", quotedEnd(sql, start, { backslash: false }));
  if (first === "'") return token("text", quotedEnd(sql, start, { backslash: false }));
  if (/[eE]/.test(first) && sql[start + 1] === "'") {
    return token("text", quotedEnd(sql, start + 1, { backslash: true }));
  }
  const dollar = matchAt(DOLLAR, sql, start);
  if (dollar !== undefined) {
    const close = sql.indexOf(dollar, start + dollar.length);
    return token("text", close === -1 ? sql.length : close + dollar.length);
  }
  const name = matchAt(NAME, sql, start);
  return name === undefined ? token("mark", start + 1) : token("name", start + name.length);
}

/** Splits a text, from `from` on. */
export function* tokens(sql: string, from = 0): Generator<Token> {
  for (let at = from; at < sql.length;) {
    const two = sql.slice(at, at + 2);
    if (/\s/.test(sql[at]!)) at++;
    else if (two === "--") at = (sql.indexOf("\n", at) + 1) || sql.length;
    else if (two === "/*") at = commentEnd(sql, at);
    else {
      const token = tokenAt(sql, at);
      yield token;
      at = token.end;
    }
  }
}

/** One statement without the `;` and the comments that may follow it, so that it can stand inside another. */
export function statementText(sql: string): string {
  let end = 0;
  for (const token of tokens(sql)) {
    if (token.kind === "mark" && token.text === ";") continue;
    end = token.end;
  }
  return sql.slice(0, end);
}

/** The offset in UTF-16 units of an offset in UTF-8 bytes, which is how DuckDB counts. */
export function charOffset(sql: string, bytes: number): number {
  let offset = 0;
  for (let left = bytes; left > 0 && offset < sql.length;) {
    const point = sql.codePointAt(offset)!;
    left -= point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    offset += point < 0x10000 ? 1 : 2;
  }
  return offset;
}
