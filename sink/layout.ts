/** Where a table's files go and how they are described: spec, sort order, names (design sections 6, 7). Pure. */
import { type TableName, TABLES } from "../contracts/tables.ts";
import { dataFolder } from "../iceberg/commit/table.ts";
import { currentSchema } from "../iceberg/metadata.ts";
import { partitionPath } from "../iceberg/partition.ts";
import { joinLocation } from "../iceberg/storage/location.ts";
import { textToDate } from "../iceberg/text_values.ts";
import {
  type DataFile,
  FileContent,
  type Metrics,
  type PartitionSpec,
  type TableMetadata,
} from "../iceberg/types.ts";
import { planTable, type TablePlan } from "./columns.ts";
import { type FileOrder, isByTime } from "./file_order.ts";

/** How to write files into a table as it is now. */
export interface TableLayout {
  plan: TablePlan;
  /** The spec of one field, the day of the time column. */
  spec: PartitionSpec;
  /** The order by the time column; undefined if the table has none, then files claim no order. */
  sortOrderId: number | undefined;
  metadata: TableMetadata;
}

/**
 * Layout of a table. Another engine may have changed the default spec or order: our spec stays valid for
 * new files as long as the table lists it (spec "Partition Evolution").
 *
 * @throws {Error} if the table lists no spec by day of the time column.
 */
export function layoutOf(table: TableName, metadata: TableMetadata): TableLayout {
  const plan = planTable(table, currentSchema(metadata), metadata.properties);
  const spec = metadata["partition-specs"].find(({ fields }) =>
    fields.length === 1 && fields[0]!.transform === "day" &&
    fields[0]!["source-id"] === plan.time.id
  );
  if (spec === undefined) {
    throw new Error(
      `Cannot write table "${table}": no partition spec is by day of ${TABLES[table].timeColumn}`,
    );
  }
  const order = metadata["sort-orders"].find(({ fields }) =>
    fields.length === 1 && fields[0]!.transform === "identity" &&
    fields[0]!["source-id"] === plan.time.id && fields[0]!.direction === "asc"
  );
  return { plan, spec, sortOrderId: order?.["order-id"], metadata };
}

/** Days since the epoch of `YYYY-MM-DD`. */
export function dayNumber(day: string): number {
  const number = textToDate(day);
  if (number === undefined) throw new Error(`Cannot use day "${day}": not a date`);
  return number;
}

/** Location of a new data file: snapshot id and counter make it unlike any other. */
export function dataFileLocation(
  layout: TableLayout,
  options: { day: string; snapshotId: bigint; counter: number },
): string {
  const { day, snapshotId, counter } = options;
  const folder = partitionPath(layout.spec, layout.plan.schema, [dayNumber(day)]);
  const name = `${String(counter).padStart(5, "0")}-${snapshotId}.parquet`;
  return joinLocation(joinLocation(dataFolder(layout.metadata), folder), name);
}

/** The manifest's description of a data file. */
export function dataFileOf(
  layout: TableLayout,
  options: {
    day: string;
    location: string;
    size: number;
    metrics: Metrics;
    /** How it was written; a file that is not by time claims no order. @default {"time"} */
    order?: FileOrder;
  },
): DataFile {
  const { day, location, size, metrics, order = "time" } = options;
  const orderId = isByTime(layout.plan, order) ? layout.sortOrderId : undefined;
  return {
    ...metrics,
    content: FileContent.data,
    file_path: location,
    file_format: "PARQUET",
    spec_id: layout.spec["spec-id"],
    partition: [dayNumber(day)],
    file_size_in_bytes: BigInt(size),
    ...(orderId === undefined ? {} : { sort_order_id: orderId }),
  };
}
