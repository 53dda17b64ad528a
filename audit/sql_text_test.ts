import { assertEquals } from "@std/assert";
import { quoteName, quoteText } from "./sql_text.ts";

Deno.test("quotes are doubled", () => {
  assertEquals([quoteText("it's"), quoteName('a"b')], ["'it''s'", '"a""b"']);
});
