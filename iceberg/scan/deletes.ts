/** Which delete files apply to which data files (spec "Scan Planning"). */

import { compareCodePoints } from "../compare.ts";
import { partitionKey } from "../partition.ts";
import { decodeValue } from "../single_value.ts";
import { type DataFile, FileContent, type ManifestEntry, type PartitionSpec } from "../types.ts";

/** Reserved id of the `file_path` column of position delete files. */
const FILE_PATH_ID = 2147483546;

interface Delete {
  readonly file: DataFile;
  readonly sequenceNumber: bigint;
  /** Position deletes: the least and greatest path they name, if known. */
  readonly paths: readonly [string, string] | undefined;
}

/** The delete files of a snapshot, found by data file. */
export class DeleteIndex {
  /** Equality deletes of unpartitioned specs apply to every partition. */
  readonly #global: Delete[] = [];
  readonly #byPartition = new Map<string, Delete[]>();
  readonly #byPath = new Map<string, Delete[]>();
  /** How many there are. */
  readonly size: number;

  /** Takes the live entries of the delete manifests. */
  constructor(entries: readonly ManifestEntry[], specs: readonly PartitionSpec[]) {
    this.size = entries.length;
    const unpartitioned = new Set(
      specs.filter((spec) => spec.fields.length === 0).map((spec) => spec["spec-id"]),
    );
    for (const { data_file: file, sequence_number: number } of entries) {
      const paths = pathsOf(file);
      const entry = { file, sequenceNumber: number ?? 0n, paths };
      const isEquality = file.content === FileContent.equalityDeletes;
      if (isEquality && unpartitioned.has(file.spec_id)) this.#global.push(entry);
      else if (paths !== undefined && paths[0] === paths[1]) push(this.#byPath, paths[0], entry);
      else push(this.#byPartition, keyOf(file), entry);
    }
  }

  /** The delete files to apply when reading a data file. */
  of(file: DataFile, sequenceNumber: bigint): DataFile[] {
    if (this.size === 0) return [];
    const candidates = [
      ...this.#global,
      ...this.#byPartition.get(keyOf(file)) ?? [],
      ...this.#byPath.get(file.file_path) ?? [],
    ];
    return candidates.filter((one) => applies(one, file, sequenceNumber)).map((one) => one.file);
  }
}

function applies(one: Delete, file: DataFile, sequenceNumber: bigint): boolean {
  // An equality delete does not touch rows of its own commit; a position delete does.
  if (one.file.content === FileContent.equalityDeletes) return sequenceNumber < one.sequenceNumber;
  if (sequenceNumber > one.sequenceNumber) return false;
  if (one.paths === undefined) return true;
  const [first, last] = one.paths;
  return compareCodePoints(first, file.file_path) <= 0 &&
    compareCodePoints(file.file_path, last) <= 0;
}

function pathsOf(file: DataFile): readonly [string, string] | undefined {
  if (file.content !== FileContent.positionDeletes) return undefined;
  const only = file.referenced_data_file;
  if (only !== undefined) return [only, only];
  const lower = file.lower_bounds?.get(FILE_PATH_ID);
  const upper = file.upper_bounds?.get(FILE_PATH_ID);
  if (lower === undefined || upper === undefined) return undefined;
  return [decodeValue("string", lower) as string, decodeValue("string", upper) as string];
}

function keyOf(file: DataFile): string {
  return `${file.spec_id}/${partitionKey(file.partition)}`;
}

function push(map: Map<string, Delete[]>, key: string, entry: Delete): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [entry]);
  else list.push(entry);
}
