/**
 * `arrow`: an Arrow IPC stream. apache-arrow cannot make decimals out of numbers and takes timestamps for
 * milliseconds (pitfall L8), so buffers are built here from DuckDB's exact values: decimals as 128-bit
 * words, timestamps as µs.
 */
import * as arrow from "apache-arrow";
import {
  type DuckDBArrayType,
  type DuckDBArrayValue,
  type DuckDBBlobValue,
  type DuckDBDataChunk,
  type DuckDBDateValue,
  type DuckDBDecimalType,
  type DuckDBDecimalValue,
  type DuckDBListType,
  type DuckDBListValue,
  type DuckDBResult,
  type DuckDBStructType,
  type DuckDBStructValue,
  type DuckDBTimestampTZValue,
  type DuckDBTimeValue,
  type DuckDBType,
  DuckDBTypeId as Id,
  type DuckDBValue,
} from "@duckdb/node-api";

/** A column of values as Arrow has it. */
interface Column {
  type: arrow.DataType;
  /** The buffers of `values`; nulls are marked by the caller. */
  build(values: readonly DuckDBValue[]): Partial<Buffers>;
}

interface Buffers {
  data: ArrayBufferView;
  valueOffsets: Int32Array;
  child: arrow.Data;
  children: arrow.Data[];
}

/** Columns of one number of a fixed width; `read` turns a value that is not null into it. */
function fixed(
  type: arrow.DataType,
  array: (length: number) => { [index: number]: number | bigint } & ArrayBufferView,
  read: (value: DuckDBValue) => number | bigint,
): Column {
  return {
    type,
    build(values) {
      const data = array(values.length);
      values.forEach((value, index) => {
        if (value !== null) data[index] = read(value);
      });
      return { data };
    },
  };
}

const asNumber = (value: DuckDBValue): number => value as number;
const asBigint = (value: DuckDBValue): bigint => value as bigint;
const micros = (value: DuckDBValue): bigint => (value as DuckDBTimestampTZValue).micros;
const int64 = (length: number) => new BigInt64Array(length);

/** Texts and bytes: offsets into one buffer. */
function variable(type: arrow.DataType, read: (value: DuckDBValue) => Uint8Array): Column {
  return {
    type,
    build(values) {
      const parts = values.map((value) => (value === null ? undefined : read(value)));
      const valueOffsets = offsetsOf(parts.map((part) => part?.length ?? 0));
      const data = new Uint8Array(valueOffsets[values.length]!);
      parts.forEach((part, index) => part && data.set(part, valueOffsets[index]!));
      return { valueOffsets, data };
    },
  };
}

function offsetsOf(lengths: readonly number[]): Int32Array {
  const offsets = new Int32Array(lengths.length + 1);
  lengths.forEach((length, index) => offsets[index + 1] = offsets[index]! + length);
  return offsets;
}

const encoder = new TextEncoder();
const texts = variable(new arrow.Utf8(), (value) => encoder.encode(String(value)));

/** Two's complement in 128 bits, low word first, as Arrow's decimal128. */
function decimals(precision: number, scale: number, read: (value: DuckDBValue) => bigint): Column {
  return {
    type: new arrow.Decimal(scale, precision, 128),
    build(values) {
      const words = new BigUint64Array(values.length * 2);
      values.forEach((value, index) => {
        if (value === null) return;
        const unscaled = read(value);
        words[index * 2] = BigInt.asUintN(64, unscaled);
        words[index * 2 + 1] = BigInt.asUintN(64, unscaled >> 64n);
      });
      return { data: new Uint32Array(words.buffer) };
    },
  };
}

const booleans: Column = {
  type: new arrow.Bool(),
  build: (values) => ({ data: bitmap(values, (value) => value === true) }),
};

function bitmap<T>(values: readonly T[], isSet: (value: T) => boolean): Uint8Array {
  const bits = new Uint8Array((values.length + 7) >> 3);
  values.forEach((value, index) => {
    if (isSet(value)) bits[index >> 3]! |= 1 << (index & 7);
  });
  return bits;
}

function lists(item: Column, items: (value: DuckDBValue) => readonly DuckDBValue[]): Column {
  return {
    type: new arrow.List(new arrow.Field("item", item.type, true)),
    build(values) {
      const all = values.map((value) => (value === null ? [] : items(value)));
      return {
        valueOffsets: offsetsOf(all.map((list) => list.length)),
        child: dataOf(item, all.flat()),
      };
    },
  };
}

function structs(type: DuckDBStructType): Column {
  const members = type.entryNames.map((name, index) => ({
    name,
    column: columnOf(type.entryTypes[index]!),
  }));
  return {
    type: new arrow.Struct(
      members.map(({ name, column }) => new arrow.Field(name, column.type, true)),
    ),
    build: (values) => ({
      children: members.map(({ name, column }) =>
        dataOf(
          column,
          values.map((value) =>
            value === null ? null : (value as DuckDBStructValue).entries[name] ?? null
          ),
        )
      ),
    }),
  };
}

const COLUMNS: Readonly<Partial<Record<Id, Column>>> = {
  [Id.BOOLEAN]: booleans,
  [Id.TINYINT]: fixed(new arrow.Int8(), (n) => new Int8Array(n), asNumber),
  [Id.SMALLINT]: fixed(new arrow.Int16(), (n) => new Int16Array(n), asNumber),
  [Id.INTEGER]: fixed(new arrow.Int32(), (n) => new Int32Array(n), asNumber),
  [Id.BIGINT]: fixed(new arrow.Int64(), int64, asBigint),
  [Id.UTINYINT]: fixed(new arrow.Uint8(), (n) => new Uint8Array(n), asNumber),
  [Id.USMALLINT]: fixed(new arrow.Uint16(), (n) => new Uint16Array(n), asNumber),
  [Id.UINTEGER]: fixed(new arrow.Uint32(), (n) => new Uint32Array(n), asNumber),
  [Id.UBIGINT]: fixed(new arrow.Uint64(), (n) => new BigUint64Array(n), asBigint),
  [Id.FLOAT]: fixed(new arrow.Float32(), (n) => new Float32Array(n), asNumber),
  [Id.DOUBLE]: fixed(new arrow.Float64(), (n) => new Float64Array(n), asNumber),
  [Id.DATE]: fixed(
    new arrow.DateDay(),
    (n) => new Int32Array(n),
    (value) => (value as DuckDBDateValue).days,
  ),
  [Id.TIME]: fixed(
    new arrow.TimeMicrosecond(),
    int64,
    (value) => (value as DuckDBTimeValue).micros,
  ),
  [Id.TIMESTAMP]: fixed(new arrow.TimestampMicrosecond(), int64, micros),
  [Id.TIMESTAMP_TZ]: fixed(new arrow.TimestampMicrosecond("UTC"), int64, micros),
  [Id.HUGEINT]: decimals(38, 0, asBigint),
  [Id.VARCHAR]: texts,
  [Id.BLOB]: variable(new arrow.Binary(), (value) => (value as DuckDBBlobValue).bytes),
};

/** Types without a column of their own are texts, as DuckDB prints them. */
function columnOf(type: DuckDBType): Column {
  switch (type.typeId) {
    case Id.DECIMAL: {
      const { width, scale } = type as DuckDBDecimalType;
      return decimals(width, scale, (value) => (value as DuckDBDecimalValue).value);
    }
    case Id.LIST:
      return lists(
        columnOf((type as DuckDBListType).valueType),
        (value) => (value as DuckDBListValue).items,
      );
    case Id.ARRAY:
      return lists(
        columnOf((type as DuckDBArrayType).valueType),
        (value) => (value as DuckDBArrayValue).items,
      );
    case Id.STRUCT:
      return structs(type as DuckDBStructType);
    default:
      return COLUMNS[type.typeId] ?? texts;
  }
}

function dataOf(column: Column, values: readonly DuckDBValue[]): arrow.Data {
  const nullCount = values.filter((value) => value === null).length;
  return arrow.makeData(
    {
      type: column.type,
      length: values.length,
      nullCount,
      ...(nullCount === 0 ? {} : { nullBitmap: bitmap(values, (value) => value !== null) }),
      ...column.build(values),
    } as Parameters<typeof arrow.makeData>[0],
  );
}

/** Collects what the library's writer writes, so that it can be passed on piece by piece. */
class PieceWriter extends arrow.RecordBatchStreamWriter {
  #pieces: Uint8Array[] = [];

  protected override _write(chunk: ArrayBufferView): this {
    // A copy: the library may use the buffer again.
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength).slice();
    this.#pieces.push(bytes);
    this._position += bytes.length;
    return this;
  }

  take(): Uint8Array[] {
    return this.#pieces.splice(0);
  }
}

/** The stream of a result, piece by piece: schema, a record batch per chunk, end. Gives the rows written. */
export async function* arrowStream(
  result: DuckDBResult,
): AsyncGenerator<{ bytes: Uint8Array; rows: number }> {
  const columns = result.columnTypes().map(columnOf);
  const names = result.columnNames();
  const schema = new arrow.Schema(
    columns.map((column, index) => new arrow.Field(names[index]!, column.type, true)),
  );
  const writer = new PieceWriter();
  writer.reset(undefined, schema);
  for await (const chunk of result) {
    writer.write(batchOf(chunk, columns, schema));
    let rows = chunk.rowCount;
    for (const bytes of writer.take()) {
      yield { bytes, rows };
      rows = 0;
    }
  }
  writer.finish();
  for (const bytes of writer.take()) yield { bytes, rows: 0 };
}

function batchOf(
  chunk: DuckDBDataChunk,
  columns: readonly Column[],
  schema: arrow.Schema,
): arrow.RecordBatch {
  const children = columns.map((column, index) => dataOf(column, chunk.getColumnValues(index)));
  const struct = arrow.makeData({
    type: new arrow.Struct(schema.fields),
    length: chunk.rowCount,
    nullCount: 0,
    children,
  });
  return new arrow.RecordBatch(schema, struct);
}
