/**
 * Error classes that callers decide by (conventions C4). Everything else is a built-in error, and a
 * bug. Data is in fields, the cause is kept.
 */

/** Exit codes of every command. */
export const EXIT = { ok: 0, no: 1, misuse: 2, unreachable: 3, interrupted: 130 } as const;

/** What is wrong with one value of a configuration file. */
export interface ConfigIssue {
  file: string;
  /** 1-based; absent where no line can be named. */
  line?: number;
  /** Dotted path, `rules[2].parameters.amount`; `$` for the whole file. */
  field: string;
  /** As JSON text, shortened. */
  value: string;
  expected: string;
}

/** A configuration that cannot be applied. Exit 2 where there is nothing to fall back on. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly issues: readonly ConfigIssue[], options?: ErrorOptions) {
    super(issues.map(printConfigIssue).join("\n"), options);
  }
}

/** `config/x.yaml:12: rules[2].severity: expected one of …, got "hgih"`. */
export function printConfigIssue(issue: ConfigIssue): string {
  const place = issue.line === undefined ? issue.file : `${issue.file}:${issue.line}`;
  return `${place}: ${issue.field}: expected ${issue.expected}, got ${issue.value}`;
}

/** The command line is wrong. Exit 2. */
export class MisuseError extends Error {
  override readonly name = "MisuseError";
}

/** A service that is needed cannot be reached. Exit 3. */
export class ServiceUnreachableError extends Error {
  override readonly name = "ServiceUnreachableError";
  constructor(readonly service: string, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Work stops for a reason that an operator must decide about: a gap, another cluster, newer data. */
export class NotReadyError extends Error {
  override readonly name = "NotReadyError";
}
