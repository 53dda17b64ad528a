/** What the figures of `deno task bench query` come to: how many times longer the others take. Pure. */

/** One contender's answer to one question. */
export interface QueryFigure {
  bench: "query";
  table_rows: number;
  layout: string;
  /** Data files of the transactions. */
  files: number;
  manifests: number;
  question: string;
  by: "ours" | "duckdb" | "pyiceberg";
  /** Rows of the answer. */
  rows: number;
  /** From the start of the process to the first bytes of the answer. */
  first_row_ms: number;
  /** From the start of the process to its end. */
  total_ms: number;
  /** In a process that has answered it before. */
  warm_ms: number;
  /** Of that, until the files are known. */
  warm_plan_ms?: number;
}

const HEADER = ["rows", "layout", "question", "cold", "DuckDB", "PyIceberg", "warm (planning)"]
  .concat("DuckDB", "PyIceberg");

function ms(value: number): string {
  return value < 100 ? value.toFixed(0) : (value / 1000).toFixed(2) + " s";
}

function times(other: number | undefined, ours: number): string {
  return other === undefined ? "" : `${(other / ours).toFixed(1)}×`;
}

/** A Markdown table: our times, and the others' as multiples of them. An answer of another length is marked. */
export function ratioTable(figures: readonly QueryFigure[]): string {
  const groups = Map.groupBy(
    figures,
    (figure) => `${figure.table_rows} ${figure.layout} ${figure.question}`,
  );
  const rows = [...groups.values()].flatMap((group) => {
    const by = (name: QueryFigure["by"]) => group.find((figure) => figure.by === name);
    const ours = by("ours");
    if (ours === undefined) return [];
    const [duckDb, pyIceberg] = [by("duckdb"), by("pyiceberg")];
    const differ = group.some((figure) => figure.rows !== ours.rows) ? " (answers differ)" : "";
    return [[
      `${ours.table_rows / 1e6} M`,
      `${ours.layout.replace("_", " ")}, ${ours.files}`,
      ours.question + differ,
      ms(ours.total_ms),
      times(duckDb?.total_ms, ours.total_ms),
      times(pyIceberg?.total_ms, ours.total_ms),
      `${ms(ours.warm_ms)} (${ms(ours.warm_plan_ms ?? 0)})`,
      times(duckDb?.warm_ms, ours.warm_ms),
      times(pyIceberg?.warm_ms, ours.warm_ms),
    ]];
  });
  return [HEADER, HEADER.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}
