/**
 * The loop's own records in the changelog (docs/exactly-once.md): position, schema, gaps, rule
 * boundaries, rule sets. Everything under other keys is the core's state. Values are JSON; offsets
 * are strings in them.
 */
import { NotReadyError } from "../contracts/errors.ts";
import { SCHEMA_VERSION } from "../contracts/services.ts";
import type { RuleSetRecord, StateChange } from "./step_types.ts";

/** Where a partition stands, written with every transaction. */
export interface Position {
  /** Next raw offset to judge. */
  next: number;
  /** Run of the process that wrote it. */
  sessionId: string;
  clusterId: string;
  /** The broker's id of the raw topic. */
  topicId: string;
  /** Rule set that judged the batch before it. */
  rulesVersion: string;
}

/** From `offset` on, `rulesVersion` is in force. */
export interface Boundary {
  offset: number;
  rulesVersion: string;
  /** ISO 8601; for people, no verdict reads it. */
  appliedAt: string;
}

/** Why a partition could not go on. */
export type GapKind = "identity" | "changelog_lost" | "expired" | "truncated";

/** A gap that an operator accepted. */
export interface AcceptedGap {
  kind: GapKind;
  /** Lost raw offsets, from (inclusive) and to (exclusive); equal where none can be named. */
  from: number;
  to: number;
  /** Where processing went on. */
  next: number;
  reason: string;
  acceptedAt: string;
  sessionId: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const OFFSET_DIGITS = 16;

/** Key of the position. */
export const POSITION_KEY: Uint8Array = encoder.encode("p");

const SCHEMA_KEY = encoder.encode("m/schema");

function offsetKey(prefix: string, offset: number): Uint8Array {
  return encoder.encode(`${prefix}${String(offset).padStart(OFFSET_DIGITS, "0")}`);
}

function encode(fields: Record<string, unknown>): Uint8Array {
  return encoder.encode(JSON.stringify({ schema_version: SCHEMA_VERSION, ...fields }));
}

/** The record that moves the position. */
export function encodePosition(position: Position): StateChange {
  const { next, sessionId, clusterId, topicId, rulesVersion } = position;
  return {
    key: POSITION_KEY,
    value: encode({
      next: String(next),
      session_id: sessionId,
      cluster_id: clusterId,
      topic_id: topicId,
      rules_version: rulesVersion,
    }),
  };
}

/** The record that names the layout of this partition's state. */
export function encodeSchema(): StateChange {
  return { key: SCHEMA_KEY, value: encode({}) };
}

/** A rule boundary. */
export function encodeBoundary(boundary: Boundary): StateChange {
  const { offset, rulesVersion, appliedAt } = boundary;
  return {
    key: offsetKey("b/", offset),
    value: encode({ offset: String(offset), rules_version: rulesVersion, applied_at: appliedAt }),
  };
}

/** Takes a boundary away. */
export function dropBoundary(offset: number): StateChange {
  return { key: offsetKey("b/", offset), value: null };
}

/** A rule set under its version. */
export function encodeRuleSet(set: RuleSetRecord): StateChange {
  const { rulesVersion, document } = set;
  return {
    key: encoder.encode(`r/${rulesVersion}`),
    // As an object, not as a text in a text: others read the changelog too.
    value: encode({ rules_version: rulesVersion, rule_set: JSON.parse(document) }),
  };
}

/** Takes a rule set away. */
export function dropRuleSet(rulesVersion: string): StateChange {
  return { key: encoder.encode(`r/${rulesVersion}`), value: null };
}

/** A gap that was accepted. */
export function encodeGap(gap: AcceptedGap): StateChange {
  return {
    key: offsetKey("m/gap/", gap.next),
    value: encode({
      kind: gap.kind,
      from: String(gap.from),
      to: String(gap.to),
      next: String(gap.next),
      reason: gap.reason,
      accepted_at: gap.acceptedAt,
      session_id: gap.sessionId,
    }),
  };
}

/** The loop's records as a restore has found them. */
export interface LoopRecords {
  position?: Position;
  /** By offset. */
  boundaries: Map<number, Boundary>;
  /** By version, least recently written first. */
  ruleSets: Map<string, RuleSetRecord>;
  /** By the offset where processing went on. */
  gaps: Map<number, AcceptedGap>;
}

/** Nothing found yet. */
export function createLoopRecords(): LoopRecords {
  return { boundaries: new Map(), ruleSets: new Map(), gaps: new Map() };
}

type Json = Record<string, unknown>;

function parse(key: string, value: Uint8Array): Json {
  const fields = JSON.parse(decoder.decode(value)) as Json;
  const version = Number(fields.schema_version);
  if (!(version <= Number(SCHEMA_VERSION))) {
    throw new NotReadyError(
      `Cannot read changelog key "${key}": it has schema_version ${fields.schema_version}, newer than ${SCHEMA_VERSION}; start a newer program`,
    );
  }
  return fields;
}

function readOffset(key: string, value: unknown): number {
  const offset = Number(value);
  if (typeof value === "string" && Number.isSafeInteger(offset) && offset >= 0) return offset;
  throw new NotReadyError(`Cannot read changelog key "${key}": expected an offset, got ${value}`);
}

function decodePosition(key: string, value: Uint8Array): Position {
  const fields = parse(key, value);
  return {
    next: readOffset(key, fields.next),
    sessionId: String(fields.session_id),
    clusterId: String(fields.cluster_id),
    topicId: String(fields.topic_id),
    rulesVersion: String(fields.rules_version),
  };
}

function decodeBoundary(key: string, value: Uint8Array): Boundary {
  const fields = parse(key, value);
  return {
    offset: readOffset(key, fields.offset),
    rulesVersion: String(fields.rules_version),
    appliedAt: String(fields.applied_at),
  };
}

function decodeRuleSet(key: string, value: Uint8Array): RuleSetRecord {
  const fields = parse(key, value);
  return {
    rulesVersion: String(fields.rules_version),
    document: JSON.stringify(fields.rule_set),
  };
}

function decodeGap(key: string, value: Uint8Array): AcceptedGap {
  const fields = parse(key, value);
  return {
    kind: fields.kind as GapKind,
    from: readOffset(key, fields.from),
    to: readOffset(key, fields.to),
    next: readOffset(key, fields.next),
    reason: String(fields.reason),
    acceptedAt: String(fields.accepted_at),
    sessionId: String(fields.session_id),
  };
}

const LETTER_A = 0x61; // a/
const LETTER_I = 0x69; // i/

/** True for a key of the core's state: the hot case of a restore, decided by one byte. */
export function isStateKey(key: Uint8Array): boolean {
  return key[0] === LETTER_A || key[0] === LETTER_I;
}

/** True for the key of the position. */
export function isPositionKey(key: Uint8Array): boolean {
  return key.length === 1 && key[0] === POSITION_KEY[0];
}

/**
 * Takes one of the loop's records into `records`, in log order.
 *
 * @throws {NotReadyError} when a newer program wrote it, or under a key that this program does not know.
 */
export function applyLoopRecord(
  records: LoopRecords,
  keyBytes: Uint8Array,
  value: Uint8Array | null,
): void {
  const key = decoder.decode(keyBytes);
  if (key === "p") {
    if (value === null) delete records.position;
    else records.position = decodePosition(key, value);
  } else if (key.startsWith("b/")) {
    const offset = readOffset(key, key.slice(2));
    if (value === null) records.boundaries.delete(offset);
    else records.boundaries.set(offset, decodeBoundary(key, value));
  } else if (key.startsWith("r/")) {
    const version = key.slice(2);
    // Deleted first: the map keeps the order of the last write.
    records.ruleSets.delete(version);
    if (value !== null) records.ruleSets.set(version, decodeRuleSet(key, value));
  } else if (key.startsWith("m/gap/")) {
    const next = readOffset(key, key.slice("m/gap/".length));
    if (value === null) records.gaps.delete(next);
    else records.gaps.set(next, decodeGap(key, value));
  } else if (key === "m/schema") {
    if (value !== null) parse(key, value);
  } else {
    throw new NotReadyError(
      `Cannot read changelog key "${key}": this program does not know it; start a newer program`,
    );
  }
}
