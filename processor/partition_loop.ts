/** The units of work of a partition that was taken: steps T6 and U1 to U7 of docs/exactly-once.md. */
import type { Fetched } from "../broker/port.ts";
import { ConfigError } from "../contracts/errors.ts";
import { encodePosition, encodeSchema } from "./changelog.ts";
import type { CommittedUnit, PartitionView, ProcessorContext } from "./context.ts";
import type { OpenStep, ReadyRuleSet, StateChange, StepResult } from "./step_types.ts";
import { firstRecords } from "./first_records.ts";
import type { TakenPartition } from "./take_partition.ts";
import { unitBatches } from "./unit.ts";

/** A unit of work before U4. */
interface Unit {
  /** Position after it. */
  next: number;
  openedMs: number;
  /** Once there is a record to judge. */
  step: OpenStep | undefined;
  result: StepResult | undefined;
  /** Boundary, rule set and what they changed. */
  ruleChanges: StateChange[];
  appliedRules: string | undefined;
}

/** Size of the first fetch; each next one may be twice as large. Cold code is slow: results show early. */
const FIRST_FETCH_BYTES = 16 * 1024;
/** Records of the first unit: a broker answers a whole record batch, which may hold thousands. */
const FIRST_RECORDS = 100;

/** Runs the units of one taken partition. One object alone begins and ends its transactions (C12). */
export class PartitionLoop<State, Compiled> {
  readonly #context: ProcessorContext<State, Compiled>;
  readonly #taken: TakenPartition<State, Compiled>;
  readonly #view: PartitionView;
  readonly #signal: AbortSignal;
  #rules!: ReadyRuleSet<Compiled>;
  #fetches = 0;
  /** The fetch under way, or the last one. Two readers in turn: the batch of one is judged beside the other's fetch. */
  #ahead!: Promise<Fetched>;
  #fetchBytes = FIRST_FETCH_BYTES;
  /** The commit under way; resolved when there is none. Its failure is the next await's. */
  #commit: Promise<void> = Promise.resolve();
  #beganMs = -Infinity;
  /** Position in the changelog, of the last unit that was begun. */
  #recorded: number;
  #schemaIsRecorded: boolean;

  constructor(
    context: ProcessorContext<State, Compiled>,
    taken: TakenPartition<State, Compiled>,
    options: { view: PartitionView; signal: AbortSignal },
  ) {
    this.#context = context;
    this.#taken = taken;
    this.#view = options.view;
    this.#signal = options.signal;
    this.#recorded = taken.stored?.next ?? -1;
    this.#schemaIsRecorded = taken.stored !== undefined;
  }

  /**
   * Works until the signal aborts; then the commit under way is finished and `run` resolves. What was judged for a
   * unit that still gathers is dropped with the state: the next owner judges it again.
   *
   * @throws whatever goes wrong in a unit; the caller throws everything away (E1).
   */
  async run(): Promise<void> {
    try {
      this.#open();
      await this.#work();
    } catch (error) {
      // Only the wait was cut short: nothing is under way that this error is about.
      if (!this.#signal.aborted || error !== this.#signal.reason) throw error;
    } finally {
      await this.#commit;
    }
  }

  /**
   * T6: rules in force, and on record before anything that was judged under them: U4 waits for this commit too. Not
   * with the first unit: its outputs, were it aborted, would lie in the log without a position, which is T4's gap.
   */
  #open(): void {
    const { core, rules } = this.#context;
    const { storedRules, storedRulesError, state, stored, position } = this.#taken;
    if (storedRules !== undefined) {
      this.#rules = storedRules;
      core.setRules(state, storedRules.compiled);
    }
    const wanted = rules.current() ?? storedRules;
    if (wanted === undefined) throw storedRulesError ?? new ConfigError(rules.issues());
    const unit = this.#edge(position);
    if (stored !== undefined && unit.appliedRules === undefined) return;
    this.#begin(unit);
  }

  async #work(): Promise<void> {
    this.#fetchFrom(this.#taken.position);
    while (!this.#signal.aborted) {
      const { unit, backlog } = await this.#gather();
      await this.#commit;
      await this.#pace();
      if (this.#isDue(unit)) this.#begin(unit);
      if (backlog) continue;
      // No backlog: the shorter way to the alert is to commit at once and take what has come meanwhile.
      await this.#commit;
      await this.#pace();
      this.#fetchFrom(unit.next);
    }
  }

  /** U1 to U3, over as many fetches as a backlog gives and a unit takes. */
  async #gather(): Promise<{ unit: Unit; backlog: boolean }> {
    const isFirst = this.#fetches === 1;
    let fetched = firstRecords(await this.#ahead, isFirst ? FIRST_RECORDS : Infinity); // U1
    const unit = this.#edge(fetched.fetchOffset, fetched.logStart); // U2
    for (;;) {
      // Nothing is done beside the first unit, whose commit would wait for cold code.
      const backlog = !isFirst && fetched.nextOffset < fetched.stable;
      if (backlog) this.#fetchFrom(fetched.nextOffset);
      this.#judge(unit, fetched); // U3
      if (!backlog || this.#isFull(unit)) {
        unit.result = unit.step?.finish();
        return { unit, backlog };
      }
      fetched = await this.#ahead;
    }
  }

  /** U1. An answer to another question is a bug of the adapter, never a reason to skip records. */
  #fetchFrom(offset: number): void {
    const { readers, partition } = this.#taken;
    const { topics, settings } = this.#context;
    const reader = readers[this.#fetches++ % 2]!;
    this.#ahead = reader.fetch(topics.raw, partition, {
      offset,
      bytesMax: Math.min(this.#fetchBytes, settings.fetchBytesMax),
      waitMsMax: settings.fetchWaitMsMax,
      signal: this.#signal,
    }).then((fetched) => {
      this.#fetchBytes = Math.min(2 * this.#fetchBytes, settings.fetchBytesMax);
      if (fetched.fetchOffset === offset && fetched.nextOffset >= offset) return fetched;
      throw new RangeError(
        `Cannot use a fetch of "${topics.raw}/${partition}": asked for offset ${offset}, got ${fetched.fetchOffset} to ${fetched.nextOffset}`,
      );
    });
    this.#ahead.catch(() => {}); // it may fail while a commit is awaited; the loop meets it at U1
  }

  #judge(unit: Unit, fetched: Fetched): void {
    const { core, topics, settings, clock } = this.#context;
    const { state, partition } = this.#taken;
    const { records, stable, end } = fetched;
    Object.assign(this.#view, { stable, end });
    unit.next = fetched.nextOffset;
    if (records.count === 0) return;
    unit.step ??= core.openStep(state, {
      partition,
      rawTopic: topics.raw,
      nowMs: clock.now(),
      limits: { recordBytesMax: settings.recordBytesMax },
    });
    unit.step.judge(records);
  }

  /** Whether a unit takes in no more of a backlog: larger ones spare work, and cost memory and delay. */
  #isFull({ step, openedMs }: Unit): boolean {
    const { settings, clock } = this.#context;
    return (step?.outputBytes ?? 0) >= settings.unitBytesMax ||
      clock.now() - openedMs >= settings.unitMsMax;
  }

  /** U2: a unit that begins at `offset`, with the rule change that is due there. */
  #edge(offset: number, logStart = 0): Unit {
    const { core, rules, clock } = this.#context;
    const { state, history } = this.#taken;
    const unit: Unit = {
      next: offset,
      openedMs: clock.now(),
      step: undefined,
      result: undefined,
      ruleChanges: [],
      appliedRules: undefined,
    };
    const wanted = rules.current() ?? this.#rules;
    const { version } = wanted;
    if (version === history.inForce?.rulesVersion && this.#rules !== undefined) return unit;
    const appliedAt = new Date(clock.now()).toISOString();
    unit.ruleChanges = [
      ...history.change({ offset, rulesVersion: version, appliedAt }, wanted.record),
      ...history.prune(logStart),
      ...core.setRules(state, wanted.compiled),
    ];
    unit.appliedRules = version;
    this.#rules = wanted;
    return unit;
  }

  /** Whether a unit must be committed: it holds something, or the position in the changelog is getting old. */
  #isDue(unit: Unit): boolean {
    if (unit.result !== undefined || unit.appliedRules !== undefined) return true;
    const { clock, settings } = this.#context;
    return unit.next !== this.#recorded && clock.now() - this.#beganMs >= settings.mirrorMs;
  }

  async #pace(): Promise<void> {
    const { clock, settings } = this.#context;
    const waitMs = this.#beganMs + settings.batchMsMin - clock.now();
    if (waitMs > 0) await clock.sleep(waitMs, this.#signal);
  }

  /** Starts U4 to U7 of a unit; `#commit` tells how they end. */
  #begin(unit: Unit): void {
    this.#beganMs = this.#context.clock.now();
    this.#recorded = unit.next;
    this.#commit = this.#transact(unit);
    this.#commit.catch(() => {}); // the loop awaits it before the next unit
  }

  async #transact(unit: Unit): Promise<void> {
    const { topics, clock, sessionId, observer } = this.#context;
    const { writer, partition, clusterId, topicId } = this.#taken;
    const { next, result, ruleChanges, appliedRules } = unit;
    const rulesVersion = this.#rules.version;
    const beganMs = clock.now();
    writer.begin(); // U4
    const marks = [
      ...(this.#schemaIsRecorded ? [] : [encodeSchema()]),
      encodePosition({ next, sessionId, clusterId, topicId, rulesVersion }),
    ];
    await writer.send(unitBatches(topics, partition, { result, ruleChanges, marks })); // U5
    await writer.commit(); // U6
    const nowMs = clock.now(); // U7
    this.#schemaIsRecorded = true;
    Object.assign(this.#view, { position: next, rulesVersion });
    observer.committed(
      {
        partition,
        position: next,
        result,
        commitMs: nowMs - beganMs,
        nowMs,
        ...(appliedRules === undefined ? {} : { appliedRules }),
      } satisfies CommittedUnit,
    );
  }
}
