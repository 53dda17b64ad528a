/** Schema evolution by field id (spec "Schema Evolution"): data files stay as they are. */
import { IcebergError } from "./errors.ts";
import { checkSchema, fieldIndex, type IndexedField, parsePrimitive } from "./schema.ts";
import type {
  ListType,
  MapType,
  NestedField,
  PrimitiveType,
  Schema,
  StructType,
  Type,
} from "./types.ts";

/** One change of a schema; columns are named by dotted path, e.g. `address.city`, `tags.element.name`. */
export type SchemaChange =
  | {
    action: "add-column";
    /** The column that gets the field: a struct, or a list or map of structs (then its element or value). */
    parent?: string;
    name: string;
    /** Ids inside a nested type are assigned anew. */
    type: Type;
    doc?: string;
  }
  | { action: "rename-column"; column: string; name: string }
  | { action: "drop-column"; column: string }
  | { action: "promote-column"; column: string; type: PrimitiveType }
  | { action: "make-optional"; column: string }
  /** An empty doc removes it. */
  | { action: "set-doc"; column: string; doc: string }
  /** `place` is "first", or the name of a sibling to stand before or after. */
  | {
    action: "move-column";
    column: string;
    place: "first" | { before: string } | { after: string };
  };

/** A changed schema, ready for an `add-schema` update. Its `schema-id` is still the old one's. */
export interface EvolvedSchema {
  schema: Schema;
  lastColumnId: number;
}

/**
 * Applies changes in their order. New fields get ids above `lastColumnId` (the table's, never the
 * schema's highest: dropped fields' ids must not come back) and are optional, as v2 has no defaults for
 * the rows that exist. Throws IcebergError for a change that the spec forbids.
 */
export function evolveSchema(
  schema: Schema,
  changes: readonly SchemaChange[],
  options: { lastColumnId: number },
): EvolvedSchema {
  let evolved: EvolvedSchema = { schema, lastColumnId: options.lastColumnId };
  for (const change of changes) evolved = applyChange(evolved, change);
  checkSchema(evolved.schema);
  return evolved;
}

function applyChange({ schema, lastColumnId }: EvolvedSchema, change: SchemaChange): EvolvedSchema {
  if (change.action === "add-column") return addColumn(schema, lastColumnId, change);
  const { id, field } = findColumn(schema, change.column);
  const edited = editSiblings(schema, id, (fields) => {
    switch (change.action) {
      case "rename-column":
        return renamed(fields, field, change.name);
      case "drop-column":
        refuseIdentifier(schema, id, change.column);
        return fields.filter((one) => one.id !== id);
      case "promote-column":
        return replaced(fields, { ...field, type: promoted(field, change) });
      case "make-optional":
        refuseIdentifier(schema, id, change.column);
        return replaced(fields, { ...field, required: false });
      case "set-doc": {
        const { doc: _, ...rest } = field;
        return replaced(fields, change.doc === "" ? rest : { ...field, doc: change.doc });
      }
      case "move-column":
        return moved(fields, field, change.place);
    }
  });
  return { schema: edited, lastColumnId };
}

function findColumn(schema: Schema, path: string): { id: number; field: NestedField } {
  const entry = findPath(schema, path);
  if (entry.field !== undefined) return { id: entry.id, field: entry.field };
  throw new IcebergError(
    `Cannot change column "${path}": it is the ${entry.name} of a list or map, not a field of a struct`,
  );
}

function findPath(schema: Schema, path: string): IndexedField {
  for (const entry of fieldIndex(schema).values()) {
    if (entry.path === path) return entry;
  }
  const names = [...fieldIndex(schema).values()].map((entry) => entry.path).join(", ");
  throw new IcebergError(`Cannot find column "${path}": there are ${names || "none"}`);
}

function refuseIdentifier(schema: Schema, id: number, path: string): void {
  if (schema["identifier-field-ids"]?.includes(id)) {
    throw new IcebergError(`Cannot change column "${path}": it is an identifier field`);
  }
}

function replaced(fields: NestedField[], field: NestedField): NestedField[] {
  return fields.map((one) => one.id === field.id ? field : one);
}

function renamed(fields: NestedField[], field: NestedField, name: string): NestedField[] {
  if (name === "") {
    throw new IcebergError(`Cannot rename column "${field.name}": the name is empty`);
  }
  if (fields.some((one) => one.name === name && one.id !== field.id)) {
    throw new IcebergError(`Cannot rename column "${field.name}" to "${name}": the name is taken`);
  }
  return replaced(fields, { ...field, name });
}

function moved(
  fields: NestedField[],
  field: NestedField,
  place: "first" | { before: string } | { after: string },
): NestedField[] {
  const others = fields.filter((one) => one.id !== field.id);
  if (place === "first") return [field, ...others];
  const sibling = "before" in place ? place.before : place.after;
  const index = others.findIndex((one) => one.name === sibling);
  if (index < 0) {
    throw new IcebergError(`Cannot move column "${field.name}": it has no sibling "${sibling}"`);
  }
  return others.toSpliced("before" in place ? index : index + 1, 0, field);
}

function promoted(field: NestedField, { column, type }: { column: string; type: PrimitiveType }) {
  if (typeof field.type === "string" && canPromote(field.type, type)) return type;
  const from = typeof field.type === "string" ? field.type : field.type.type;
  throw new IcebergError(
    `Cannot promote column "${column}" from ${from} to ${type}: allowed are int to long, ` +
      `float to double, and a decimal to a higher precision`,
  );
}

/** Whether format v2 allows the promotion; to the same type it does. */
export function canPromote(from: PrimitiveType, to: PrimitiveType): boolean {
  const [old, wide] = [parsePrimitive(from), parsePrimitive(to)];
  if (old.kind === "decimal" && wide.kind === "decimal") {
    return wide.scale === old.scale && wide.precision >= old.precision;
  }
  if (old.kind === "fixed" && wide.kind === "fixed") return old.length === wide.length;
  return old.kind === wide.kind || (old.kind === "int" && wide.kind === "long") ||
    (old.kind === "float" && wide.kind === "double");
}

function addColumn(
  schema: Schema,
  lastColumnId: number,
  change: Extract<SchemaChange, { action: "add-column" }>,
): EvolvedSchema {
  const { parent, name, type, doc } = change;
  if (name === "") throw new IcebergError("Cannot add column: the name is empty");
  let last = lastColumnId;
  const nextId = () => ++last;
  const id = nextId();
  const field: NestedField = {
    id,
    name,
    required: false,
    type: freshType(type, nextId),
    ...(doc === undefined ? {} : { doc }),
  };
  const owner = parent === undefined ? undefined : structOwner(findPath(schema, parent));
  const edited = mapStructs(schema, undefined, (fields, ownerId) => {
    if (ownerId !== owner) return fields;
    if (fields.some((one) => one.name === name)) {
      throw new IcebergError(`Cannot add column "${name}": there is one with this name`);
    }
    return [...fields, field];
  });
  return { schema: { ...schema, ...edited }, lastColumnId: last };
}

/** Id of what holds the struct: the field itself, or the element or value of a collection. */
function structOwner({ id, path, type }: IndexedField): number {
  if (typeof type === "string") {
    throw new IcebergError(`Cannot add a column to "${path}": it is a ${type}, not a struct`);
  }
  if (type.type === "struct") return id;
  const [innerId, inner] = type.type === "list"
    ? [type["element-id"], type.element]
    : [type["value-id"], type.value];
  if (typeof inner !== "string" && inner.type === "struct") return innerId;
  throw new IcebergError(`Cannot add a column to "${path}": it does not hold structs`);
}

// ---- Walks -----------------------------------------------------------------------------------------

/** Edits the fields of the struct that has field `id`. */
function editSiblings(
  schema: Schema,
  id: number,
  edit: (fields: NestedField[]) => NestedField[],
): Schema {
  const edited = mapStructs(
    schema,
    undefined,
    (fields) => fields.some((field) => field.id === id) ? edit(fields) : fields,
  );
  return { ...schema, ...edited };
}

/** Rebuilds a struct with the fields of every struct in it edited; `ownerId` is what holds the struct. */
function mapStructs(
  struct: StructType,
  ownerId: number | undefined,
  edit: (fields: NestedField[], ownerId: number | undefined) => NestedField[],
): StructType {
  const inner = (type: Type, id: number): Type => {
    if (typeof type === "string") return type;
    switch (type.type) {
      case "struct":
        return mapStructs(type, id, edit);
      case "list":
        return { ...type, element: inner(type.element, type["element-id"]) };
      case "map":
        // Keys are left alone: changing them would change which entries are equal.
        return { ...type, value: inner(type.value, type["value-id"]) };
    }
  };
  const fields = struct.fields.map((field) => ({ ...field, type: inner(field.type, field.id) }));
  return { ...struct, fields: edit(fields, ownerId) };
}

/**
 * The type with all ids inside it taken from `nextId`, in Java's order: the fields of a struct first,
 * then what is inside them; key and value before what is inside them.
 */
export function freshType<T extends Type>(type: T, nextId: () => number): T;
export function freshType(type: Type, nextId: () => number): Type {
  if (typeof type === "string") return type;
  switch (type.type) {
    case "struct": {
      const ids = type.fields.map(nextId);
      const fields = type.fields.map((field, index) => ({
        ...field,
        id: ids[index] as number,
        type: freshType(field.type, nextId),
      }));
      return { ...type, fields };
    }
    case "list": {
      const id = nextId();
      return { ...type, "element-id": id, element: freshType(type.element, nextId) } as ListType;
    }
    case "map": {
      const [keyId, valueId] = [nextId(), nextId()];
      const key = freshType(type.key, nextId);
      const value = freshType(type.value, nextId);
      return { ...type, "key-id": keyId, "value-id": valueId, key, value } as MapType;
    }
  }
}
