/** What JSON.parse does not tell of an object's text: keys given twice, nesting, number tokens. Pure. */

/** Keys that turn into the prototype of an object in careless readers: refused at any depth. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set([
  "__proto__",
  "constructor",
  "prototype",
]);

/** Outline of an object's text. */
export interface JsonOutline {
  /** Top-level keys in order, escapes resolved, repetitions included. */
  keys: string[];
  /** Text of the last top-level value under each key that is neither an object nor an array. */
  tokens: Map<string, string>;
  /** Deepest nesting; the object itself is 1. */
  depth: number;
  /** One of {@linkcode FORBIDDEN_KEYS} is there, at any depth. */
  forbidden: boolean;
}

const TOKEN = /"[^"\\]*(?:\\[^][^"\\]*)*"|[{}[\],:]|[^\s"{}[\],:]+/g;

/** Outlines a text that JSON.parse has accepted as an object. */
export function outline(text: string): JsonOutline {
  const found: JsonOutline = { keys: [], tokens: new Map(), depth: 0, forbidden: false };
  let depth = 0;
  let key: string | undefined;
  let last = "";
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") {
      if (++depth > found.depth) found.depth = depth;
    } else if (token === "}" || token === "]") {
      depth--;
    } else if (token === ":") {
      // Colons outside of texts follow keys and nothing else.
      const name = JSON.parse(last) as string;
      if (FORBIDDEN_KEYS.has(name)) found.forbidden = true;
      if (depth === 1) {
        found.keys.push(name);
        found.tokens.delete(name);
        key = name;
      }
    } else if (token === ",") {
      if (depth === 1) key = undefined;
    } else if (depth === 1 && key !== undefined) {
      found.tokens.set(key, token);
    }
    last = token;
  }
  return found;
}
