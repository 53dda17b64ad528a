/**
 * What the processor's changelog says of one partition, read from its JSON alone
 * (docs/exactly-once.md, "The changelog's keys"). Pure.
 */
import { createHash } from "node:crypto";
import { canonicalJson } from "../rules/canonical_json.ts";
import { RuleFile } from "../rules/rule_file.ts";
import type { RuleDefinition } from "../rules/rule_type.ts";
import { rulesVersion, type VerdictSettings } from "../rules/version.ts";

/** From `offset` on, `version` is in force. */
export interface Boundary {
  offset: number;
  version: string;
}

/** A rule set as it was stored. */
export interface StoredRuleSet {
  version: string;
  rules: readonly RuleDefinition[];
  settings: VerdictSettings;
  /** Why verdicts under it cannot be recomputed by this program; undefined if they can. */
  problem: string | undefined;
}

/** A gap that an operator accepted: raw offsets from (inclusive) to (exclusive) are lost. */
export interface AcceptedGap {
  kind: string;
  from: number;
  to: number;
  /** Where processing went on. */
  next: number;
  reason: string;
  acceptedAt: string;
}

/** Committed position of a partition. */
export interface StoredPosition {
  next: number;
  clusterId: string;
  topicId: string;
}

const decoder = new TextDecoder();

type Json = Record<string, unknown>;

function offsetOf(key: string, value: unknown): number {
  const offset = Number(value);
  if (typeof value === "string" && Number.isSafeInteger(offset) && offset >= 0) return offset;
  throw new Error(`Cannot read changelog key "${key}": expected an offset, got ${value}`);
}

/** First 12 hex digits of the SHA-256: what a version claims to be (design section 8). */
function versionOf(document: unknown): string {
  return createHash("sha256").update(canonicalJson(document), "utf8").digest("hex").slice(0, 12);
}

function ruleSet(version: string, document: Json): StoredRuleSet {
  const settings = document.settings as VerdictSettings;
  const parsed = RuleFile.safeParse({ rules: document.rules });
  const rules = parsed.success ? parsed.data.rules as RuleDefinition[] : [];
  const problem = versionOf(document) !== version
    ? "its content does not have this version: it was changed"
    : !parsed.success
    ? "this program does not know its rules"
    : rulesVersion(rules, settings) !== version
    ? "another version of the program judged under it"
    : undefined;
  return { version, rules, settings, problem };
}

/** Takes the changelog of one partition record by record, in log order. */
export class ChangelogView {
  position: StoredPosition | undefined;
  readonly #boundaries = new Map<string, Boundary>();
  readonly #sets = new Map<string, StoredRuleSet>();
  readonly #gaps = new Map<string, AcceptedGap>();

  /** Boundaries by offset. */
  get boundaries(): Boundary[] {
    return [...this.#boundaries.values()].sort((a, b) => a.offset - b.offset);
  }

  /** The set under a version, if the changelog has it. */
  ruleSet(version: string): StoredRuleSet | undefined {
    return this.#sets.get(version);
  }

  /** Accepted gaps, in the order of where processing went on. */
  get gaps(): AcceptedGap[] {
    return [...this.#gaps.values()].sort((a, b) => a.next - b.next);
  }

  /**
   * When the raw topic was made anew, ms: that gap (kind `identity`) was accepted then, and what the processor wrote
   * before came of another log, whose offsets began at 0 as well. 0 if it never was.
   */
  get renewedAtMs(): number {
    const times = this.gaps.filter(({ kind }) => kind === "identity")
      .map(({ acceptedAt }) => Date.parse(acceptedAt));
    return Math.max(0, ...times);
  }

  /** Accepted gaps whose offsets are of the raw log as it is now. */
  get gapsOfThisLog(): AcceptedGap[] {
    const since = this.renewedAtMs;
    return this.gaps.filter(({ acceptedAt }) => !(Date.parse(acceptedAt) < since));
  }

  /** Every rule set. */
  get ruleSets(): StoredRuleSet[] {
    return [...this.#sets.values()];
  }

  /** Takes one record; state of the core (`i/`, `a/`) is none of our business. */
  take(keyBytes: Uint8Array, value: Uint8Array | null): void {
    const first = keyBytes[0];
    if (first === 0x69 || first === 0x61) return; // i/ and a/: nearly all of them
    const key = decoder.decode(keyBytes);
    const fields = value === null ? undefined : JSON.parse(decoder.decode(value)) as Json;
    if (key === "p") this.position = fields && this.#position(key, fields);
    else if (key.startsWith("b/")) {
      set(this.#boundaries, key, fields, (json) => ({
        offset: offsetOf(key, json.offset),
        version: String(json.rules_version),
      }));
    } else if (key.startsWith("r/")) {
      const version = key.slice(2);
      set(this.#sets, version, fields, (json) => ruleSet(version, json.rule_set as Json));
    } else if (key.startsWith("m/gap/")) {
      set(this.#gaps, key, fields, (json) => ({
        kind: String(json.kind),
        from: offsetOf(key, json.from),
        to: offsetOf(key, json.to),
        next: offsetOf(key, json.next),
        reason: String(json.reason),
        acceptedAt: String(json.accepted_at),
      }));
    }
  }

  #position(key: string, json: Json): StoredPosition {
    return {
      next: offsetOf(key, json.next),
      clusterId: String(json.cluster_id),
      topicId: String(json.topic_id),
    };
  }
}

function set<T>(
  map: Map<string, T>,
  key: string,
  fields: Json | undefined,
  read: (json: Json) => T,
): void {
  if (fields === undefined) map.delete(key);
  else map.set(key, read(fields));
}
