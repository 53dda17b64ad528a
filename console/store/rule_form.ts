/** The form in which a rule's parameters are edited: a line of text per field, read as YAML. Pure. */
import type { RuleDefinition } from "../../rules/rule_type.ts";

/** A field of the form. */
export interface FormField {
  /** Path below the rule: `["parameters", "amount"]`. */
  path: readonly string[];
  /** As shown: `parameters.amount`. */
  label: string;
  /** The value as JSON text, as typed. */
  text: string;
  /** As it was. */
  before: string;
}

/** The form. */
export interface RuleForm {
  ruleName: string;
  /** Position in the file. */
  index: number;
  fields: readonly FormField[];
  at: number;
  /** What the processor would say. */
  errors: readonly string[];
}

/** A value as it is typed: strings without quotes, everything else as JSON. */
export function printFieldValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What was typed as a value: JSON where it is some, text otherwise. */
export function readFieldValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The form of a rule as the file has it, defaults filled in. */
export function formOf(rule: RuleDefinition, index: number): RuleForm {
  const field = (path: readonly string[], value: unknown): FormField => {
    const text = printFieldValue(value);
    return { path, label: path.join("."), text, before: text };
  };
  const parameters = Object.entries(rule.parameters as Record<string, unknown>);
  return {
    ruleName: rule.rule_name,
    index,
    fields: [
      ...parameters.map(([name, value]) => field(["parameters", name], value)),
      field(["severity"], rule.severity),
      field(["enabled"], rule.enabled),
      field(["description"], rule.description),
    ],
    at: 0,
    errors: [],
  };
}

/** The form with the text of its current field changed. */
export function typeInForm(form: RuleForm, change: (text: string) => string): RuleForm {
  const fields = form.fields.map((field, index) =>
    index === form.at ? { ...field, text: change(field.text) } : field
  );
  return { ...form, fields, errors: [] };
}

/** Fields that differ from what they were. */
export function changedFields(form: RuleForm): FormField[] {
  return form.fields.filter(({ text, before }) => text !== before);
}
