/**
 * The judge: the same rules by the plainest means. It keeps the whole history of an account, under the
 * same two limits, and counts anew for each transaction, in bigint. For the shipped rule types it shares
 * no code with the engine beyond the rule file's schema; tests and audits compare the two. A type that
 * it does not know is judged by an engine of its own, record by record, so that adding a type stays a
 * matter of one file.
 */
import type { QuietHoursParameters } from "./types/quiet_hours.ts";
import type { ThresholdParameters } from "./types/threshold.ts";
import type { VelocityParameters } from "./types/velocity.ts";
import { RuleEngine } from "./engine.ts";
import { emptyFacts, setFacts } from "./values/facts.ts";
import { CELLS_PER_ACCOUNT_MAX, type RuleDefinition } from "./rule_type.ts";

/** One accepted transaction. */
export interface NaiveTransaction {
  offset: number;
  timestampUs: number;
  accountId: string;
  /** Ten-thousandths. */
  amountUnits: bigint;
  currency: string;
  country: string;
  category: string;
  transactionType: string;
  status: string;
}

interface Entry {
  offset: number;
  us: bigint;
  /** `us` in whole windows: divided once, since audits judge millions. */
  bucket: number;
  units: bigint;
}

type History = Map<string, Entry[]>;

/** Limits of rules in ten-thousandths, by amount: there are few of them. */
const known = new Map<number, bigint>();

function units(amount: number): bigint {
  let found = known.get(amount);
  if (found === undefined) {
    const [whole, fraction = ""] = amount.toFixed(4).split(".");
    found = BigInt(whole! + fraction.padEnd(4, "0"));
    known.set(amount, found);
  }
  return found;
}

function judgeThreshold(parameters: ThresholdParameters, tx: NaiveTransaction): boolean {
  const limit = parameters.per_currency[tx.currency] ??
    parameters.per_category[tx.category as keyof typeof parameters.per_category] ??
    parameters.amount;
  const amount = parameters.absolute && tx.amountUnits < 0n ? -tx.amountUnits : tx.amountUnits;
  return amount > units(limit);
}

/** Formatters by time zone: to make one takes a hundred times as long as to use it. */
const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(timeZone: string): Intl.DateTimeFormat {
  let clock = clocks.get(timeZone);
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    clocks.set(timeZone, clock);
  }
  return clock;
}

interface LocalTime {
  day: string;
  time: string;
}

/** The minute that was asked for last, by time zone: in order, the next transaction is nearly always in it too. */
const minutes = new Map<string, { minute: number; local: LocalTime }>();

function localTime(timeZone: string, us: number): LocalTime {
  const minute = Math.floor(us / 60_000_000);
  const last = minutes.get(timeZone);
  if (last?.minute === minute) return last.local;
  const parts = clockOf(timeZone).formatToParts(Math.floor(us / 1000));
  const part = (type: string) => parts.find((part) => part.type === type)!.value;
  const local = {
    day: part("weekday").toLowerCase(),
    time: `${part("hour")}:${part("minute")}`,
  };
  minutes.set(timeZone, { minute, local });
  return local;
}

function judgeQuietHours(parameters: QuietHoursParameters, tx: NaiveTransaction): boolean {
  const now = localTime(parameters.time_zone, tx.timestampUs);
  const days: readonly string[] = parameters.days;
  const { start, end } = parameters;
  if (start < end) return days.includes(now.day) && start <= now.time && now.time < end;
  if (now.time >= start) return days.includes(now.day);
  const order = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
  const dayBefore = order[(order.indexOf(now.day) + 6) % 7]!;
  return now.time < end && days.includes(dayBefore);
}

/** Forgets accounts until `accountsMax` are left: those whose last transaction is oldest. */
function forgetAccounts(history: History, accountsMax: number): void {
  while (history.size > accountsMax) {
    let oldest: string | undefined;
    let oldestOffset = Infinity;
    for (const [name, entries] of history) {
      const last = Math.max(...entries.map(({ offset }) => offset));
      if (last < oldestOffset) [oldest, oldestOffset] = [name, last];
    }
    history.delete(oldest!);
  }
}

function admit(history: History, account: string, accountsMax: number): Entry[] {
  const known = history.get(account);
  if (known !== undefined) return known;
  forgetAccounts(history, accountsMax - 1);
  const entries: Entry[] = [];
  history.set(account, entries);
  return entries;
}

/** Forgets what the buckets limit does not hold: the bucket whose last transaction is oldest. */
function makeRoom(entries: Entry[], bucket: number): void {
  // Entries are in offset order: from the end, each bucket is met at its last transaction.
  const buckets: number[] = [];
  for (let at = entries.length - 1; at >= 0; at--) {
    const met = entries[at]!.bucket;
    if (met === bucket) return;
    if (buckets.at(-1) !== met && !buckets.includes(met)) buckets.push(met);
  }
  if (buckets.length < CELLS_PER_ACCOUNT_MAX) return;
  const oldest = buckets.at(-1);
  const kept = entries.filter((entry) => entry.bucket !== oldest);
  entries.splice(0, entries.length, ...kept);
}

function judgeVelocity(
  parameters: VelocityParameters,
  tx: NaiveTransaction,
  history: History,
  accountsMax: number,
): boolean {
  const { only } = parameters;
  const left = (wanted: readonly string[] | undefined, value: string) =>
    wanted !== undefined && !wanted.includes(value);
  if (
    left(only.currencies, tx.currency) || left(only.categories, tx.category) ||
    left(only.transaction_types, tx.transactionType) || left(only.statuses, tx.status)
  ) return false;
  const window = BigInt(parameters.window_seconds) * 1_000_000n;
  const t = BigInt(tx.timestampUs);
  const entries = admit(history, tx.accountId, accountsMax);
  const bucket = Number(t / window);
  makeRoom(entries, bucket);
  entries.push({ offset: tx.offset, us: t, bucket, units: tx.amountUnits });
  if (parameters.measure === "count") {
    return entries.some(({ us: u }) => {
      const after = u - window;
      return u >= t && after < t &&
        entries.filter(({ us }) => us > after && us <= u).length >= parameters.at_least;
    });
  }
  const pane = (us: bigint) => us * 60n / window;
  const own = pane(t);
  for (let first = own - 59n; first <= own; first++) {
    let sum = 0n;
    for (const entry of entries) {
      if (pane(entry.us) >= first && pane(entry.us) <= first + 59n) sum += entry.units;
    }
    if (sum >= units(parameters.at_least)) return true;
  }
  return false;
}

function livesOn(before: RuleDefinition | undefined, after: RuleDefinition): boolean {
  if (before === undefined || before.rule_type !== after.rule_type) return false;
  const a = before.parameters as VelocityParameters;
  const b = after.parameters as VelocityParameters;
  const filters = ["currencies", "categories", "transaction_types", "statuses"] as const;
  return a.measure === b.measure && a.window_seconds === b.window_seconds &&
    filters.every((name) =>
      JSON.stringify([...(a.only[name] ?? ["*"])].sort()) ===
        JSON.stringify([...(b.only[name] ?? ["*"])].sort())
    ) &&
    (a.measure === "sum" || b.at_least <= a.at_least);
}

const KNOWN_TYPES = ["threshold", "velocity", "quiet_hours"];

/** Judges the accepted transactions of one partition in offset order. */
export class NaiveJudge {
  #rules: readonly RuleDefinition[] = [];
  #histories = new Map<string, History>();
  readonly #others: RuleEngine;
  readonly #facts = emptyFacts();

  #accountsMax: number;

  constructor(limits: { accountsMax: number }) {
    this.#accountsMax = limits.accountsMax;
    this.#others = new RuleEngine(limits);
  }

  /** Another limit from the next transaction on. */
  setAccountsMax(accountsMax: number): void {
    this.#accountsMax = accountsMax;
    for (const history of this.#histories.values()) forgetAccounts(history, accountsMax);
  }

  /** Puts a rule set in force from the next transaction on. */
  setRules(rules: readonly RuleDefinition[]): void {
    const histories = new Map<string, History>();
    for (const rule of rules) {
      const before = this.#rules.find(({ rule_name }) => rule_name === rule.rule_name);
      if (rule.rule_type !== "velocity") continue;
      histories.set(
        rule.rule_name,
        livesOn(before, rule) ? this.#histories.get(rule.rule_name)! : new Map(),
      );
    }
    this.#histories = histories;
    this.#rules = rules;
    this.#others.setRules(rules.filter(({ rule_type }) => !KNOWN_TYPES.includes(rule_type)));
  }

  /** Names of the enabled rules that fire on the transaction, in the order of the rule file. */
  judge(tx: NaiveTransaction): string[] {
    const others = this.#judgeOthers(tx);
    return this.#rules
      .filter((rule) =>
        KNOWN_TYPES.includes(rule.rule_type)
          ? this.#fires(rule, tx) && rule.enabled // asked first: a disabled rule collects as well
          : others.has(rule.rule_name)
      )
      .map(({ rule_name }) => rule_name);
  }

  #judgeOthers(tx: NaiveTransaction): Set<string> {
    if (this.#others.rules.length === 0) return new Set();
    const facts = this.#facts;
    facts.offset = tx.offset;
    facts.sequence = tx.offset;
    facts.timestampUs = tx.timestampUs;
    facts.amountUnits = Number(tx.amountUnits);
    setFacts(facts, {
      account_id: tx.accountId,
      currency: tx.currency,
      location_country: tx.country,
      merchant_category: tx.category,
      transaction_type: tx.transactionType,
      status: tx.status,
    });
    this.#others.judge(facts);
    return new Set(
      this.#others.fired.slice(0, this.#others.firedCount)
        .map(({ definition }) => definition.rule_name),
    );
  }

  #fires(rule: RuleDefinition, tx: NaiveTransaction): boolean {
    switch (rule.rule_type) {
      case "threshold":
        return judgeThreshold(rule.parameters as ThresholdParameters, tx);
      case "quiet_hours":
        return judgeQuietHours(rule.parameters as QuietHoursParameters, tx);
      default:
        return judgeVelocity(
          rule.parameters as VelocityParameters,
          tx,
          this.#histories.get(rule.rule_name)!,
          this.#accountsMax,
        );
    }
  }
}
