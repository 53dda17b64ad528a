import { assertEquals } from "@std/assert";
import { outline } from "./json_outline.ts";

Deno.test("outline tells keys, tokens, depth and forbidden keys of a text", () => {
  const table: [text: string, keys: string[], depth: number, forbidden: boolean][] = [
    [`{}`, [], 1, false],
    [`{"a":1,"b":"x"}`, ["a", "b"], 1, false],
    [`{"a":1,"a":2}`, ["a", "a"], 1, false],
    [`{"\\u0061":1,"a":2}`, ["a", "a"], 1, false],
    [`{"a":{"b":[{"c":1}]}}`, ["a"], 4, false],
    [`{"a":"{\\"b\\":[[["}`, ["a"], 1, false],
    [`{"a":{"__proto__":1}}`, ["a"], 2, true],
    [`{"constructor":1}`, ["constructor"], 1, true],
    [`{"a":"__proto__"}`, ["a"], 1, false],
    [` { "a" : [ ] , "b" : { } } `, ["a", "b"], 2, false],
  ];
  for (const [text, keys, depth, forbidden] of table) {
    const found = outline(text);
    assertEquals([found.keys, found.depth, found.forbidden], [keys, depth, forbidden], text);
  }
});

Deno.test("outline keeps numbers as they are spelled, the last one of each key", () => {
  const { tokens } = outline(`{"amount": 1.50, "b": [1, 2], "amount" :1e2, "c": {"amount": 7}}`);
  assertEquals([...tokens], [["amount", "1e2"]]);
});
