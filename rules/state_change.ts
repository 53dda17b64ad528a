/** What changes of the state: records of the changelog. */

/** One record of the changelog: null is a tombstone. */
export interface StateChange {
  key: Uint8Array;
  value: Uint8Array | null;
}

/** Takes changes, one per key and drain. */
export interface ChangeSink {
  /**
   * The record `key[0, keyEnd)` → `value[0, valueEnd)`; null is a tombstone. Copies both: the arrays are the
   * caller's scratch.
   */
  change(key: Uint8Array, keyEnd: number, value: Uint8Array | null, valueEnd: number): void;
}

/** Collects changes as objects, where there are few. */
export class ChangeList implements ChangeSink {
  readonly changes: StateChange[] = [];

  change(key: Uint8Array, keyEnd: number, value: Uint8Array | null, valueEnd: number): void {
    const copy = value === null ? null : value.slice(0, valueEnd);
    this.changes.push({ key: key.slice(0, keyEnd), value: copy });
  }
}
