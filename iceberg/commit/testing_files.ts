/** Made-up data files for tests. */

import { encodeValue } from "../single_value.ts";
import { type DataFile, FileContent } from "../types.ts";

/** What a made-up file holds. */
export interface TestFileOptions {
  /** Days since the epoch. @default {20778, which is 2026-11-21} */
  readonly day?: number;
  /** @default {10n} */
  readonly records?: bigint;
  /** @default {1000n} */
  readonly size?: bigint;
  readonly content?: FileContent;
  /** Bounds of `id`. */
  readonly ids?: readonly [bigint, bigint];
  readonly equalityIds?: number[];
  /** @default {0} */
  readonly specId?: number;
  readonly referencedDataFile?: string;
}

/** 2026-11-21 in days since the epoch. */
export const TEST_DAY = 20_778;

/** Describes file number `number`. */
export function fileContentOf(number: number, options: TestFileOptions): DataFile {
  const { day = TEST_DAY, ids, content = FileContent.data } = options;
  return {
    content,
    file_path: `memory://test/finance/t/data/at_day=${day}/file-${number}.parquet`,
    file_format: "PARQUET",
    spec_id: options.specId ?? 0,
    partition: [day],
    record_count: options.records ?? 10n,
    file_size_in_bytes: options.size ?? 1000n,
    ...(ids === undefined ? {} : {
      value_counts: new Map([[1, options.records ?? 10n]]),
      null_value_counts: new Map([[1, 0n]]),
      lower_bounds: new Map([[1, encodeValue("long", ids[0])]]),
      upper_bounds: new Map([[1, encodeValue("long", ids[1])]]),
    }),
    ...(options.equalityIds === undefined ? {} : { equality_ids: options.equalityIds }),
    ...(options.referencedDataFile === undefined
      ? {}
      : { referenced_data_file: options.referencedDataFile }),
  };
}
