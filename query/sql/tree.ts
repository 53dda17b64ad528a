/**
 * What a user's SELECT reads, from the tree of DuckDB's own parser (`json_serialize_sql`): the tables, with
 * the conditions that speak of each, and a refusal of everything that is not a table of ours (design
 * section 12). Pure.
 */
import { MisuseError } from "../../contracts/errors.ts";
import { NAMESPACE } from "../../contracts/services.ts";
import { TABLE_NAMES, type TableName } from "../../contracts/tables.ts";
import { nearest } from "../../runtime/nearest.ts";

/** A node of DuckDB's tree. */
export type SqlNode = { readonly [key: string]: unknown };

/** A place in the statement that reads a table. */
export interface TableReference {
  table: TableName;
  /** The name that columns are qualified with, in lower case. */
  alias: string;
  /** No alias was written: columns may also be qualified by namespace and table. */
  named: boolean;
  /** `AT (unit => expression)`. */
  at?: { unit: string; expression: SqlNode };
  /** Offset of the reference in the statement, UTF-8 bytes. */
  location: number;
  /** Rows may be left out before WHERE is asked: no renamed columns, no sample, see {@linkcode SelectScope}. */
  prunable: boolean;
}

/** One SELECT … FROM … WHERE: conditions hold for what it reads, and for nothing else. */
export interface SelectScope {
  references: TableReference[];
  /** AND-ed conditions: of WHERE, and of ON where all joins are inner. */
  conditions: SqlNode[];
  /** It reads one table and nothing else. */
  single: boolean;
}

/** Everything a statement reads. */
export interface SelectTree {
  references: TableReference[];
  scopes: SelectScope[];
}

/** Scalar functions that look outside of the query. */
const REFUSED_FUNCTIONS = new Set([
  "getenv",
  "getvariable",
  "current_setting",
  "write_log",
  "nextval",
  "currval",
  "sleep_ms",
]);

function isNode(value: unknown): value is SqlNode {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A CTE's tree: `{query: {node: …}}`. */
function isRecursive(cte: unknown): boolean {
  const query = isNode(cte) ? cte["query"] : undefined;
  const node = isNode(query) ? query["node"] : undefined;
  return isNode(node) && node["type"] === "RECURSIVE_CTE_NODE";
}

function text(node: SqlNode, key: string): string {
  return typeof node[key] === "string" ? node[key] as string : "";
}

function lengthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}

function nodesOf(value: unknown): SqlNode[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/**
 * Reads the tree of one statement.
 *
 * @throws {MisuseError} for a table that is not ours, a table function, a function that looks outside.
 */
export function readTree(statement: SqlNode): SelectTree {
  const reader = new Reader();
  reader.visit(statement, new Set());
  return { references: reader.references, scopes: reader.scopes };
}

class Reader {
  readonly references: TableReference[] = [];
  readonly scopes: SelectScope[] = [];

  /** Visits anything; `names` are the CTEs in reach, in lower case. */
  visit(value: unknown, names: ReadonlySet<string>): void {
    if (Array.isArray(value)) {
      for (const item of value) this.visit(item, names);
      return;
    }
    if (!isNode(value)) return;
    const inner = this.#visitCtes(value, names);
    switch (value["type"]) {
      case "SELECT_NODE":
        return this.#visitSelect(value, inner);
      case "BASE_TABLE":
        this.#reference(value, inner);
        break;
      case "TABLE_FUNCTION":
        throw refusedTableFunction(value);
      case "SHOW_REF":
        if (!isNode(value["query"])) throw refusedShow();
        break;
    }
    if (value["class"] === "FUNCTION") checkFunction(value);
    for (const [key, child] of Object.entries(value)) {
      if (key !== "cte_map") this.visit(child, inner);
    }
  }

  /** A CTE is in reach of those after it and of the body; a recursive one of itself. */
  #visitCtes(node: SqlNode, names: ReadonlySet<string>): ReadonlySet<string> {
    const map = node["cte_map"];
    if (!isNode(map)) return names;
    const inner = new Set(names);
    for (const entry of nodesOf(map["map"])) {
      const name = text(entry, "key").toLowerCase();
      const recursive = isRecursive(entry["value"]);
      this.visit(entry["value"], recursive ? new Set([...inner, name]) : inner);
      inner.add(name);
    }
    return inner;
  }

  #visitSelect(node: SqlNode, names: ReadonlySet<string>): void {
    const from = isNode(node["from_table"]) ? node["from_table"] : {};
    const scope: SelectScope = {
      references: [],
      conditions: [],
      single: from["type"] === "BASE_TABLE",
    };
    const inner = this.#visitFrom(from, { names, scope, visible: !isNode(node["sample"]) });
    if (isNode(node["where_clause"])) scope.conditions.push(...conjuncts(node["where_clause"]));
    if (inner !== undefined) scope.conditions.push(...inner.flatMap(conjuncts));
    if (scope.references.length > 0) this.scopes.push(scope);
    for (const [key, child] of Object.entries(node)) {
      if (key !== "from_table" && key !== "cte_map") this.visit(child, names);
    }
  }

  /**
   * Collects the tables of a FROM clause whose columns WHERE can speak of. Gives the conditions of its
   * joins if all of them are inner, else undefined: an outer join keeps rows that its ON does not fit.
   */
  #visitFrom(
    from: SqlNode,
    place: { names: ReadonlySet<string>; scope: SelectScope; visible: boolean },
  ): SqlNode[] | undefined {
    const { names, scope, visible } = place;
    if (from["type"] === "BASE_TABLE") {
      const reference = this.#reference(from, names);
      if (reference !== undefined) {
        reference.prunable &&= visible;
        if (reference.prunable) scope.references.push(reference);
      }
      return [];
    }
    if (from["type"] !== "JOIN") {
      this.visit(from, names);
      return [];
    }
    const kind = joinKind(from);
    const sides = { left: visible && kind.left, right: visible && kind.right };
    const left = this.#visitFrom(from["left"] as SqlNode, { ...place, visible: sides.left });
    const right = this.#visitFrom(from["right"] as SqlNode, { ...place, visible: sides.right });
    const condition = from["condition"];
    this.visit(condition, names);
    if (!kind.inner || left === undefined || right === undefined) return undefined;
    return [...left, ...right, ...(isNode(condition) ? [condition] : [])];
  }

  #reference(node: SqlNode, names: ReadonlySet<string>): TableReference | undefined {
    const written = text(node, "table_name");
    const name = written.toLowerCase();
    const schema = text(node, "schema_name").toLowerCase();
    if (schema === "" && names.has(name)) return undefined;
    const table = TABLE_NAMES.find((one) => one === name);
    const ours = (schema === "" || schema === NAMESPACE) && text(node, "catalog_name") === "";
    if (table === undefined || !ours) throw noSuchTable(node, [...names]);
    const alias = text(node, "alias").toLowerCase();
    const at = node["at_clause"];
    const reference: TableReference = {
      table,
      alias: alias === "" ? name : alias,
      named: alias === "",
      ...(isNode(at)
        ? { at: { unit: text(at, "unit").toUpperCase(), expression: at["expr"] as SqlNode } }
        : {}),
      location: Number(node["query_location"] ?? 0),
      prunable: lengthOf(node["column_name_alias"]) === 0 && !isNode(node["sample"]),
    };
    this.references.push(reference);
    return reference;
  }
}

/**
 * Of which sides rows may be left out when WHERE rejects them anyway. Not of the right side of a semi or
 * anti join, whose columns WHERE cannot see, nor where the other rows' partners would change (ASOF,
 * POSITIONAL).
 */
function joinKind(join: SqlNode): { left: boolean; right: boolean; inner: boolean } {
  const type = text(join, "join_type") || "INNER";
  const how = text(join, "ref_type") || "REGULAR";
  if (how === "POSITIONAL") return { left: false, right: false, inner: false };
  if (how === "ASOF") {
    return { left: type === "INNER" || type === "LEFT", right: false, inner: false };
  }
  const known = ["INNER", "LEFT", "RIGHT", "OUTER", "FULL"].includes(type);
  return {
    left: known || type === "SEMI" || type === "ANTI",
    right: known,
    inner: type === "INNER",
  };
}

/** The parts of an AND. */
function conjuncts(condition: SqlNode): SqlNode[] {
  return condition["type"] === "CONJUNCTION_AND"
    ? nodesOf(condition["children"]).flatMap(conjuncts)
    : [condition];
}

function noSuchTable(node: SqlNode, names: string[]): MisuseError {
  const parts = ["catalog_name", "schema_name", "table_name"].map((key) => text(node, key));
  const name = parts.filter((part) => part !== "").join(".");
  const meant = nearest(parts[2]!.toLowerCase(), [...TABLE_NAMES, ...names]);
  return new MisuseError(
    `Cannot read "${name}": no such table${
      meant === undefined ? "" : `; did you mean ${meant}?`
    } ` +
      `(tables: ${TABLE_NAMES.join(", ")})`,
  );
}

function refusedTableFunction(node: SqlNode): MisuseError {
  const name = isNode(node["function"]) ? text(node["function"], "function_name") : "";
  const hint = ["unnest", "range", "generate_series"].includes(name)
    ? `; in the select list it is: SELECT unnest(…)`
    : "";
  return new MisuseError(
    `Cannot use "${name}" in FROM: only the tables ${TABLE_NAMES.join(", ")} can be read${hint}`,
  );
}

function refusedShow(): MisuseError {
  return new MisuseError(
    `Cannot run SHOW: the tables are ${TABLE_NAMES.join(", ")}; DESCRIBE <table> shows columns`,
  );
}

function checkFunction(node: SqlNode): void {
  const name = text(node, "function_name").toLowerCase();
  if (!REFUSED_FUNCTIONS.has(name)) return;
  throw new MisuseError(`Cannot use "${name}": it reaches outside of the tables`);
}
