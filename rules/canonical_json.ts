/** RFC 8785 (JSON Canonicalization Scheme): one text for one value. */

/**
 * Canonical text of a JSON value. Numbers and strings as ECMAScript prints them (RFC 8785 section
 * 3.2.2), members sorted by UTF-16 code units (3.2.3); members that are undefined do not exist.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    // Plain < compares code units, as the RFC asks; localeCompare would not.
    members.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${
      members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(",")
    }}`;
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new TypeError(`Cannot print "${value}" as canonical JSON: expected a finite number`);
  }
  const text = JSON.stringify(value);
  if (text === undefined) {
    throw new TypeError(`Cannot print a ${typeof value} as canonical JSON: it is no JSON value`);
  }
  return text;
}
