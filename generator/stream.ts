/**
 * The stream of transactions: a pure function of seed, epoch, settings and the times it is asked at.
 *
 * Ground truth of what was injected is beside the value, never in it.
 */
import { printTimestamp } from "../contracts/timestamps.ts";
import { type Account, ACTIVITY_MAX, createAccounts, FAR_COUNTRIES } from "./accounts.ts";
import { drawAmountCents, drawHighAmountCents, printCents, toNotesCents } from "./amounts.ts";
import {
  ANOMALY_WEIGHTS,
  type AnomalyKind,
  type AnomalyWeights,
  burstTimes,
  createAnomalySource,
  INJECTED_NONE,
  nightTime,
} from "./anomalies.ts";
import { damage, DAMAGE_KINDS, printTokens, type Tokens } from "./malformed.ts";
import { CATEGORY_WEIGHTS, createMerchants } from "./merchants.ts";
import { createPrng, type Prng } from "./prng.ts";
import { createWeighted } from "./weighted.ts";

/** Shares of the transaction types. */
export const TYPE_WEIGHTS = {
  purchase: 0.85,
  refund: 0.05,
  withdrawal: 0.08,
  transfer: 0.02,
} as const;

/** Longest delay between a transaction and its arrival here, in µs. */
export const JITTER_US_MAX = 50_000;

/** What the stream is made of; all of it may change while it runs. */
export interface StreamSettings {
  anomalyShare: number;
  malformedShare: number;
  accounts: number;
  merchants: number;
  /** @default {ANOMALY_WEIGHTS} */
  anomalyWeights?: AnomalyWeights;
  /** Kinds of damage in use. @default {all} */
  damageKinds?: readonly string[];
}

/** Which stream. */
export interface StreamIdentity {
  seed: number;
  /**
   * Tells the starts of the stream apart: another epoch has other transaction ids, so that a generator
   * that starts again does not send the same ids again. `0` on a fresh pipeline.
   */
  epoch: string;
  /** Keeps uses apart that share a seed (live generator, files). @default {"live"} */
  label?: string;
}

/** One record to produce. */
export interface GeneratedRecord {
  /** The record's key. */
  accountId: string;
  value: Uint8Array;
  /** `none`, `high_amount`, `burst:3/6`, `night`, `foreign` or `malformed:<kind>`. */
  injected: string;
}

/** The stream. */
export interface TransactionStream {
  /** The next record, for a transaction that arrives at `nowUs` (µs since the epoch). */
  next(nowUs: number): GeneratedRecord;
  /** Other settings from the next record on. The sequence of ids goes on. */
  configure(settings: StreamSettings): void;
}

/** How far back a repeated id reaches, in valid records. */
const EARLIER_MAX = 64;

const drawType = createWeighted(TYPE_WEIGHTS);
const drawCategory = createWeighted(CATEGORY_WEIGHTS);

/** pending → completed | failed; completed → reversed: how far a transaction has come. */
export function walkStatus(prng: Prng): "pending" | "completed" | "failed" | "reversed" {
  if (prng.chance(0.06)) return "pending";
  if (prng.chance(0.03)) return "failed";
  return prng.chance(0.01) ? "reversed" : "completed";
}

interface Pools {
  accounts: readonly Account[];
  /** Merchants by category, names as JSON tokens. */
  names: Readonly<Record<string, readonly string[]>>;
}

function createPools(seed: number, settings: StreamSettings): Pools {
  const merchants = createMerchants(seed, settings.merchants);
  return {
    accounts: createAccounts(seed, settings.accounts),
    names: Object.fromEntries(
      Object.entries(merchants).map((
        [category, list],
      ) => [category, list.map((merchant) => JSON.stringify(merchant.name))]),
    ),
  };
}

/** An account, the busier ones more often; for cash and transfers one that is not a credit card. */
function drawAccount(prng: Prng, accounts: readonly Account[], type: string): Account {
  const noCredit = type === "withdrawal" || type === "transfer";
  for (let tries = 0; tries < 32; tries++) {
    const account = prng.pick(accounts);
    if (noCredit && account.kind === "credit") continue;
    if (prng.int(ACTIVITY_MAX) < account.activity) return account;
  }
  return prng.pick(accounts);
}

interface Draft {
  timeUs: number;
  account?: Account;
  kind?: AnomalyKind;
}

function draw(prng: Prng, pools: Pools, draft: Draft): { account: Account; tokens: Tokens } {
  const drawn = drawType(prng);
  // A refund is never a high amount or part of a burst: nobody steals by giving back.
  const spends = draft.kind === "high_amount" || draft.kind === "burst";
  const type = spends && drawn === "refund" ? "purchase" : drawn;
  const account = draft.account ?? drawAccount(prng, pools.accounts, type);
  const category = prng.chance(0.2) ? account.favourite : drawCategory(prng);
  let cents = draft.kind === "high_amount"
    ? drawHighAmountCents(prng)
    : drawAmountCents(prng, category, account.spending);
  if (type === "withdrawal" && draft.kind !== "high_amount") cents = toNotesCents(cents);
  if (type === "refund") cents = -cents;
  let country = prng.chance(0.03) ? account.secondCountry : account.country;
  if (draft.kind === "foreign") country = prng.pick(FAR_COUNTRIES);
  return {
    account,
    tokens: {
      transaction_id: `"${prng.uuid()}"`,
      timestamp: `"${printTimestamp(draft.timeUs)}"`,
      account_id: `"${account.id}"`,
      amount: printCents(cents),
      currency: `"${account.currency}"`,
      merchant_name: prng.pick(pools.names[category]!),
      merchant_category: `"${category}"`,
      transaction_type: `"${type}"`,
      location_country: `"${country}"`,
      status: `"${walkStatus(prng)}"`,
    },
  };
}

/** Starts a stream. */
export function createStream(
  identity: StreamIdentity,
  settings: StreamSettings,
): TransactionStream {
  const { seed, epoch, label = "live" } = identity;
  const prng = createPrng(seed, `${label}/${epoch}`);
  const encoder = new TextEncoder();
  let current = settings;
  let pools = createPools(seed, settings);
  let anomalies = createAnomalySource(
    settings.anomalyShare,
    settings.anomalyWeights ?? ANOMALY_WEIGHTS,
  );
  let burst: { account: Account; times: number[]; at: number } | undefined;
  const earlier: { accountId: string; tokens: Tokens }[] = [];

  function remember(accountId: string, tokens: Tokens): void {
    earlier.push({ accountId, tokens });
    if (earlier.length > EARLIER_MAX) earlier.shift();
  }

  function emit(draft: Draft, injected: string): GeneratedRecord {
    const { account, tokens } = draw(prng, pools, draft);
    remember(account.id, tokens);
    return { accountId: account.id, value: encoder.encode(printTokens(tokens)), injected };
  }

  function emitBurst(): GeneratedRecord {
    const { account, times, at } = burst!;
    burst = at + 1 < times.length ? { account, times, at: at + 1 } : undefined;
    const draft: Draft = { timeUs: times[at]!, account, kind: "burst" };
    return emit(draft, `burst:${at + 1}/${times.length}`);
  }

  function emitDamaged(nowUs: number): GeneratedRecord {
    const { account, tokens } = draw(prng, pools, { timeUs: nowUs });
    const repeated = earlier.length === 0 ? undefined : prng.pick(earlier);
    const kind = prng.pick(current.damageKinds ?? DAMAGE_KINDS);
    const damaged = damage(tokens, { prng, earlier: repeated?.tokens, nowUs }, kind);
    return {
      accountId: damaged.repeatsEarlier ? repeated!.accountId : account.id,
      value: damaged.value,
      injected: `malformed:${damaged.kind}`,
    };
  }

  return {
    next(nowUs) {
      const timeUs = nowUs - prng.int(JITTER_US_MAX);
      if (prng.chance(current.malformedShare)) return emitDamaged(timeUs);
      if (burst !== undefined) return emitBurst();
      const kind = anomalies.draw(prng);
      if (kind === undefined) return emit({ timeUs }, INJECTED_NONE);
      if (kind === "burst") {
        const account = drawAccount(prng, pools.accounts, "purchase");
        burst = { account, times: burstTimes(prng, timeUs), at: 0 };
        return emitBurst();
      }
      return emit({ timeUs: kind === "night" ? nightTime(prng, timeUs) : timeUs, kind }, kind);
    },
    configure(next) {
      const poolsChange = next.accounts !== current.accounts ||
        next.merchants !== current.merchants;
      current = next;
      if (poolsChange) {
        pools = createPools(seed, next);
        burst = undefined;
      }
      anomalies = createAnomalySource(next.anomalyShare, next.anomalyWeights ?? ANOMALY_WEIGHTS);
    },
  };
}
