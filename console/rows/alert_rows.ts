/** Alerts as rows, as one line, and in full. Pure. */
import type { AlertItem } from "../store/model.ts";
import type { State } from "../store/state.ts";
import { fitText, wrapText } from "../text/cells.ts";
import { age } from "../text/format.ts";
import { clipLine, type Line, lineOf, span } from "../text/span.ts";
import { type Column, pairs, type Row } from "../text/table.ts";
import { SEVERITY_RANK, SEVERITY_TONES } from "./status_marks.ts";

/** Columns of the alerts screen. */
export const ALERT_COLUMNS: readonly Column[] = [
  { key: "age", title: "age", width: 6, align: "right" },
  { key: "severity", title: "severity", width: 9 },
  { key: "rule", title: "rule", width: 16 },
  { key: "account", title: "account", width: 12 },
  { key: "amount", title: "amount", width: 14, align: "right" },
  { key: "currency", title: "cur", width: 4 },
  { key: "merchant", title: "merchant", flex: 2, from: 78 },
  { key: "why", title: "why", flex: 5, from: 110 },
];

/** Money with two decimals, or four where it has them. */
export function money(amount: number): string {
  const decimals = Math.round(amount * 10_000) % 100 === 0 ? 2 : 4;
  return amount.toFixed(decimals).replace(/\B(?=(\d{3})+(?!\d)(?=\.))/g, ",");
}

/** Rows by item: they never change, and thousands of them are drawn again and again. */
const knownRows = new WeakMap<AlertItem, Row>();

function alertRow(item: AlertItem): Row {
  const known = knownRows.get(item);
  if (known !== undefined) return known;
  const { id, atMs, seq, alert } = item;
  const { transaction } = alert;
  const row: Row = {
    id,
    atMs,
    cells: {
      severity: span(alert.severity, SEVERITY_TONES[alert.severity]),
      rule: span(alert.rule_name),
      account: span(transaction.account_id),
      amount: span(money(transaction.amount)),
      currency: span(transaction.currency, "dim"),
      merchant: span(transaction.merchant_name, "dim"),
      why: span(alert.description, "dim"),
    },
    sort: {
      // Equal times in order of arrival.
      age: atMs + (seq % 1000) / 1000,
      severity: SEVERITY_RANK[alert.severity],
      amount: transaction.amount,
    },
    hidden: `severity=${alert.severity} rule=${alert.rule_name} ${alert.transaction_id}`,
  };
  knownRows.set(item, row);
  return row;
}

/** Rows of the alerts screen. */
export function alertRows(items: readonly AlertItem[]): Row[] {
  return items.map(alertRow);
}

/** One alert in one line, for the overview. */
export function alertLine({ atMs, alert }: AlertItem, state: State, width: number): Line {
  return clipLine([
    span(`${fitText(age(atMs, state.nowMs), 6, "right")} `, "dim"),
    span(fitText(alert.severity, 9), SEVERITY_TONES[alert.severity]),
    span(`${fitText(alert.rule_name, 16)} `),
    span(alert.description, "dim"),
  ], width);
}

function valueText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The alert in full: why it fired, and the transaction as it came. */
export function alertDetail(
  { alert, atMs, trace }: AlertItem,
  nowMs: number,
  width: number,
): Line[] {
  const evidence = Object.entries(alert.evidence);
  const figures = evidence.filter(([, value]) => !Array.isArray(value));
  const lists = evidence.filter((entry): entry is [string, unknown[]] => Array.isArray(entry[1]));
  return [
    [
      span(alert.severity, SEVERITY_TONES[alert.severity]),
      span(`  ${alert.rule_name}`, "title"),
      span(`  ${age(atMs, nowMs)} ago`, "dim"),
    ],
    [],
    ...wrapText(alert.description, width).map((text) => lineOf(text)),
    [],
    lineOf("why it fired", "accent"),
    ...pairs(figures.map(([name, value]) => [`  ${name}`, span(valueText(value))] as const)),
    ...lists.flatMap(([name, values]) => [
      lineOf(`  ${name} (${values.length})`, "dim"),
      ...values.map((one) => lineOf(`    ${valueText(one)}`)),
    ]),
    [],
    lineOf("transaction", "accent"),
    ...pairs(
      Object.entries(alert.transaction).map(([name, value]) =>
        [`  ${name}`, span(valueText(value))] as const
      ),
    ),
    [],
    lineOf("alert", "accent"),
    ...pairs([
      ["  alert_id", span(alert.alert_id)],
      ["  raised", span(alert.alert_timestamp)],
      ["  rules_version", span(alert.rules_version)],
      ["  trace", span(trace)],
    ]),
  ];
}
