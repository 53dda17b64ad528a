/** Reads the raw log of one partition and judges each record anew, into the scratch tables. */
import type { RecordBatch } from "../broker/port.ts";
import { deadLetterId, formatTrace } from "../contracts/ids.ts";
import type { Boundary, ChangelogView } from "./changelog_view.ts";
import { EXPECTED, RAW } from "./facts.ts";
import { idBits, NO_FINGERPRINT, transactionBits, versionBits } from "./fingerprint.ts";
import { KIND_TRANSACTION, kindOf, PartitionJudge, type Verdict } from "./partition_judge.ts";
import type { Scratch, ScratchWriter } from "./scratch.ts";
import { type OnProgress, type TopicRange, type TopicReader, valueOf } from "./topic_reader.ts";

/** What to read. */
export interface RawLoad {
  /** From the first offset that is looked at to the end that was seen. */
  range: TopicRange;
  /** Next offset to be judged: the cut. */
  position: number;
  changelog: ChangelogView;
  /** Something was judged before the range begins. */
  truncated: boolean;
  /** Compare every value. */
  full: boolean;
}

/** What was read. */
export interface LoadedRaw {
  /** Records below the cut. */
  judged: number;
  /** Records from the cut on: in flight. */
  waiting: number;
  /** Raw offsets judged whose verdict cannot be told at all. */
  unverifiable: number;
}

/** Reads and judges. */
export async function loadRaw(
  scratch: Scratch,
  reader: TopicReader,
  load: RawLoad,
  onProgress: OnProgress,
): Promise<LoadedRaw> {
  const raw = await scratch.writer("all_raw", RAW);
  const expected = await scratch.writer("all_expected", EXPECTED);
  const pass = new RawPass(load, { raw, expected });
  const { gapsOfThisLog: gaps, boundaries } = load.changelog;
  // Only where ids from before are missing does the processor's word on duplicates count.
  const incomplete = load.truncated || gaps.length > 0 ||
    boundaries.some(({ version }) => load.changelog.ruleSet(version)?.problem !== undefined);
  try {
    for await (const batch of reader.batches(load.range, onProgress)) {
      const duplicates = incomplete
        ? await calledDuplicates(scratch, load.range.partition, batch)
        : NONE;
      pass.take(batch, duplicates);
    }
  } finally {
    raw.close();
    expected.close();
  }
  return pass.loaded;
}

const NONE: ReadonlySet<number> = new Set();

/** Offsets of a batch that the processor called duplicates. */
async function calledDuplicates(
  scratch: Scratch,
  partition: number,
  { offsets, count }: RecordBatch,
): Promise<ReadonlySet<number>> {
  const rows = await scratch.rows<{ o: number }>(
    `SELECT o FROM all_output WHERE topic = 1 AND p = ${partition} AND kind = ${kindOf("duplicate")}
     AND o BETWEEN ${offsets[0]} AND ${offsets[count - 1]}`,
  );
  return new Set(rows.map(({ o }) => o));
}

class RawPass {
  readonly loaded: LoadedRaw = { judged: 0, waiting: 0, unverifiable: 0 };
  readonly #load: RawLoad;
  readonly #writers: { raw: ScratchWriter; expected: ScratchWriter };
  readonly #judge: PartitionJudge;
  readonly #boundaries: Boundary[];
  /** Where gaps end: state goes on differently from there. */
  readonly #resumes: { next: number; truncated: boolean }[];
  #version = NO_FINGERPRINT;

  constructor(load: RawLoad, writers: { raw: ScratchWriter; expected: ScratchWriter }) {
    this.#load = load;
    this.#writers = writers;
    this.#judge = new PartitionJudge(load.truncated);
    this.#boundaries = load.changelog.boundaries;
    this.#resumes = load.changelog.gapsOfThisLog.map(({ next, kind }) => ({
      next,
      // A lost changelog leaves no state at all behind; other gaps leave one that nobody can recompute.
      truncated: kind !== "changelog_lost",
    }));
  }

  take(batch: RecordBatch, duplicates: ReadonlySet<number>): void {
    for (let index = 0; index < batch.count; index++) {
      const offset = batch.offsets[index]!;
      if (offset >= this.#load.position) {
        this.loaded.waiting += batch.count - index;
        return;
      }
      this.#moveTo(offset);
      const bytes = valueOf(batch, index);
      const verdict = this.#judge.judge({
        offset,
        bytes,
        timestampMs: batch.timestamps[index]!,
        calledDuplicate: duplicates.has(offset),
      });
      this.#record(offset, verdict, bytes?.length ?? 0);
    }
  }

  /** Puts in force what holds at an offset. */
  #moveTo(offset: number): void {
    while (this.#resumes.length > 0 && this.#resumes[0]!.next <= offset) {
      const { truncated, next } = this.#resumes.shift()!;
      // A gap before what is looked at changes nothing: the judge begins without state anyway.
      if (next >= this.#load.range.from) this.#judge.restart(truncated);
    }
    while (this.#boundaries.length > 0 && this.#boundaries[0]!.offset <= offset) {
      const { version } = this.#boundaries.shift()!;
      this.#version = versionBits(version);
      // Each set in turn: a window can have begun anew under one that held for no record that is left.
      this.#judge.setRules(this.#load.changelog.ruleSet(version));
    }
  }

  #record(offset: number, verdict: Verdict, length: number): void {
    const { partition } = this.#load.range;
    const { transaction, rules, kind } = verdict;
    this.loaded.judged++;
    if (kind < 0) this.loaded.unverifiable++;
    const accepted = kind === KIND_TRANSACTION && transaction !== undefined;
    const sureToFire = rules.some(({ fired, sure }) => fired && sure);
    const unsure = rules.some(({ sure }) => !sure);
    const id = accepted
      ? transaction.transactionId
      : deadLetterId(formatTrace(this.#load.range.topic, partition, offset));
    this.#writers.raw.add([
      partition,
      offset,
      kind,
      verdict.sure ? 1 : 0,
      sureToFire ? 1 : unsure ? 2 : 0,
      this.#version,
      idBits(id),
      accepted && this.#load.full
        ? transactionBits(transaction.fields, transaction.amountUnits)
        : NO_FINGERPRINT,
      length,
    ]);
    for (const { rule, severity, fired, sure } of rules) {
      const flags = [fired ? 1 : 0, sure ? 1 : 0];
      this.#writers.expected.add([partition, offset, rule, severity, this.#version, ...flags]);
    }
  }
}
