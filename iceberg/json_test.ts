import { assertEquals, assertThrows } from "@std/assert";
import { parseJson, printJson } from "./json.ts";

Deno.test("parseJson() keeps integers beyond 2^53 exact, as bigint", () => {
  const text = '{"snapshot-id":3055729675574597004,"min":-9223372036854775808,"n":42,"x":1.5}';
  assertEquals(parseJson(text), {
    "snapshot-id": 3055729675574597004n,
    min: -9223372036854775808n,
    n: 42,
    x: 1.5,
  });
});

Deno.test("parseJson() leaves 2^53 - 1 a number and makes 2^53 + 1 a bigint", () => {
  assertEquals(parseJson("[9007199254740991,9007199254740993]"), [
    9007199254740991,
    9007199254740993n,
  ]);
});

Deno.test("parseJson() leaves digits inside strings and floating point numbers alone", () => {
  assertEquals(parseJson('["3055729675574597004",1e30]'), ["3055729675574597004", 1e30]);
});

Deno.test("printJson() prints bigint as a number, in the order of the keys", () => {
  assertEquals(
    printJson({ b: 9223372036854775807n, a: [1n, 2], s: "3" }),
    '{"b":9223372036854775807,"a":[1,2],"s":"3"}',
  );
});

Deno.test("printJson() and parseJson() are inverse on text", () => {
  const text = '{"z":-9007199254740993,"a":{"m":[0,null,true,"é\\u0001"]}}';
  assertEquals(printJson(parseJson(text)), text);
});

Deno.test("parseJson() throws SyntaxError for what is no JSON", () => {
  assertThrows(() => parseJson("{1234567890123456"), SyntaxError);
});
