import { assertEquals } from "@std/assert";
import { charOffset, statementText, tokens } from "./tokens.ts";

const words = (sql: string): string[] => [...tokens(sql)].map((token) => token.text);

Deno.test("tokens() keeps quoted parts whole and leaves comments out", () => {
  const table: readonly [sql: string, words: string[]][] = [
    ["SELECT a.b, 1.5", ["SELECT", "a", ".", "b", ",", "1.5"]],
    ["'it''s; ' \"a \"\"b\"", ["'it''s; '", '"a ""b"']],
    ["E'it\\'s' e", ["E'it\\'s'", "e"]],
    ["$$a;'b$$ $x$ $$ $x$", ["$$a;'b$$", "$x$ $$ $x$"]],
    ["a -- b ' \n c /* d /* e */ ; */ f", ["a", "c", "f"]],
    ["größe日 = 'ü'", ["größe日", "=", "'ü'"]],
    ["'open", ["'open"]],
    ["a/*open", ["a"]],
  ];
  for (const [sql, expected] of table) assertEquals(words(sql), expected, sql);
});

Deno.test("statementText() drops what follows the statement, and nothing within", () => {
  assertEquals(statementText("SELECT ';' ; -- x\n ; "), "SELECT ';'");
  assertEquals(statementText("SELECT 1 -- x"), "SELECT 1");
});

Deno.test("charOffset() turns bytes into UTF-16 units", () => {
  assertEquals(charOffset("é日😀x", 0), 0);
  assertEquals(charOffset("é日😀x", 2), 1);
  assertEquals(charOffset("é日😀x", 5), 2);
  assertEquals(charOffset("é日😀x", 9), 4);
});
