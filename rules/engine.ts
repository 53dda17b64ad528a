/** The rules of one partition at work: state, rule changes, changelog. Pure: no clock, no I/O. */
import { NotReadyError } from "../contracts/errors.ts";
import { canonicalJson } from "./canonical_json.ts";
import { CellsReader } from "./cell_codec.ts";
import { CellStore } from "./cells.ts";
import type { ChangeSink, StateChange } from "./state_change.ts";
import type { Facts } from "./values/facts.ts";
import { ruleTypeOf } from "./registry.ts";
import type { RuleDefinition, RuleLogic, RuleType } from "./rule_type.ts";

/** Layout of what this file puts into the changelog. */
export const RULE_STATE_VERSION = "1";

/** Key of the record that lists which rule owns which generation of cells. */
export const OWNERS_KEY = "a/rules";

/** Most cells of dropped rules that one call of {@linkcode RuleEngine.drain} puts away. */
const DISMANTLE_MAX = 10_000;

/**
 * A stateful rule's claim on its cells. Every fresh start of a rule takes a new generation, so cells
 * of an earlier one can never come back, however slowly their tombstones follow.
 */
interface Owner {
  rule_name: string;
  rule_type: string;
  generation: number;
  parameters: unknown;
  /** Parameters under which the cells were begun. */
  laid_out: unknown;
}

/** A rule in force. */
export interface ActiveRule {
  readonly definition: RuleDefinition;
  readonly logic: RuleLogic;
  readonly cells: CellStore | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function typeOf(definition: { rule_name: string; rule_type: string }): RuleType {
  const type = ruleTypeOf(definition.rule_type);
  if (type === undefined) {
    throw new NotReadyError(
      `Cannot use rule "${definition.rule_name}": no rule type "${definition.rule_type}" here`,
    );
  }
  return type;
}

/** Judges the accepted transactions of one partition, one by one, in offset order. */
export class RuleEngine {
  /** Rules that fired on the transaction judged last: the first `firedCount` of the list. */
  readonly fired: ActiveRule[] = [];
  firedCount = 0;
  #active: ActiveRule[] = [];
  #owners: Owner[] = [];
  #nextGeneration = 1;
  #stores = new Map<number, CellStore>();
  #dropped: CellStore[] = [];
  readonly #accountsMax: number;

  constructor(options: { accountsMax: number }) {
    this.#accountsMax = options.accountsMax;
  }

  /** Rules in force, in the order of the rule file. */
  get rules(): readonly ActiveRule[] {
    return this.#active;
  }

  /**
   * Puts a rule set in force from the next transaction on. Keeps state that means the same under the
   * new parameters; starts the rest empty. Returns the changelog records of it, which belong into the
   * transaction of the first batch judged under the set.
   */
  setRules(definitions: readonly RuleDefinition[]): StateChange[] {
    const owners: Owner[] = [];
    this.#active = definitions.map((definition) => {
      const type = typeOf(definition);
      const { rule_name, rule_type, parameters } = definition;
      const fresh = type.compile(parameters, parameters);
      if (fresh.cellWords === 0) return { definition, logic: fresh, cells: undefined };
      const kept = this.#owners.find((owner) =>
        owner.rule_name === rule_name && owner.rule_type === rule_type &&
        type.keepsState?.(owner.parameters, parameters) === true
      );
      const generation = kept?.generation ?? this.#nextGeneration++;
      const laid_out = kept?.laid_out ?? parameters;
      owners.push({ rule_name, rule_type, generation, parameters, laid_out });
      const logic = kept === undefined ? fresh : type.compile(parameters, laid_out);
      return { definition, logic, cells: this.#store(generation, { cellWords: logic.cellWords }) };
    });
    this.#release(new Set(owners.map(({ generation }) => generation)));
    const before = this.#ownersText();
    this.#owners = owners;
    const after = this.#ownersText();
    return before === after
      ? []
      : [{ key: encoder.encode(OWNERS_KEY), value: encoder.encode(after) }];
  }

  #ownersText(): string {
    return canonicalJson({
      schema_version: RULE_STATE_VERSION,
      next_generation: this.#nextGeneration,
      rules: this.#owners,
    });
  }

  #store(generation: number, layout: { cellWords: number; cellsPerRecord?: number }): CellStore {
    let store = this.#stores.get(generation);
    if (store === undefined) {
      const accountsMax = this.#accountsMax;
      store = new CellStore({ ...layout, accountsMax, prefix: `a/${generation}/` });
      this.#stores.set(generation, store);
    }
    return store;
  }

  /** Puts aside the stores of generations that no rule owns any more. */
  #release(owned: ReadonlySet<number>): void {
    for (const [generation, store] of this.#stores) {
      if (owned.has(generation)) continue;
      this.#stores.delete(generation);
      this.#dropped.push(store);
    }
  }

  /** Judges one accepted transaction. What fired is in `fired`. */
  judge(facts: Facts): void {
    this.firedCount = 0;
    const active = this.#active;
    for (let i = 0; i < active.length; i++) {
      const rule = active[i]!;
      // A disabled rule goes on collecting, so it is asked too.
      if (rule.logic.judge(facts, rule.cells) && rule.definition.enabled) {
        this.fired[this.firedCount++] = rule;
      }
    }
  }

  /** Appends the changes since the last call, one record per key. */
  drain(changes: ChangeSink): void {
    for (const store of this.#stores.values()) store.drain(changes);
    let room = DISMANTLE_MAX;
    while (this.#dropped.length > 0 && room > 0) {
      const store = this.#dropped[0]!;
      for (const key of store.dismantle(room)) {
        changes.change(key, key.length, null, 0);
        room--;
      }
      if (store.accountCount === 0) this.#dropped.shift();
    }
  }

  /** Takes one changelog record under `a/`, in log order. */
  restore(key: string, value: Uint8Array | null): void {
    if (key === OWNERS_KEY) {
      if (value !== null) this.#restoreOwners(decoder.decode(value));
      return;
    }
    const match = /^a\/(\d+)\/([A-Za-z0-9]+)\/(\d+)$/.exec(key);
    if (match === null) {
      throw new NotReadyError(`Cannot restore "${key}": not a key of this program`);
    }
    const generation = Number(match[1]);
    let store = this.#stores.get(generation);
    if (store === undefined) {
      if (value === null) return;
      // A generation keeps the records that it was begun with: those of an earlier program hold one cell.
      const { cellWords, cells } = new CellsReader(value);
      store = this.#store(generation, { cellWords, cellsPerRecord: cells });
    }
    store.restore(match[2]!, Number(match[3]), value);
  }

  #restoreOwners(text: string): void {
    const stored = JSON.parse(text) as {
      schema_version: string;
      next_generation: number;
      rules: Owner[];
    };
    if (stored.schema_version !== RULE_STATE_VERSION) {
      throw new NotReadyError(
        `Cannot restore rule state of schema version "${stored.schema_version}": ` +
          `this program knows ${RULE_STATE_VERSION}`,
      );
    }
    this.#nextGeneration = stored.next_generation;
    this.#owners = stored.rules;
  }

  /** Ends a restore. Rules come back into force by {@linkcode setRules}. */
  finishRestore(): void {
    for (const store of this.#stores.values()) store.finishRestore();
    this.#release(new Set(this.#owners.map(({ generation }) => generation)));
  }
}
