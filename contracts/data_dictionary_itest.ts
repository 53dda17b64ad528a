import { assertEquals } from "@std/assert";
import { Alert } from "./alert.ts";
import { DeadLetter, FieldError } from "./dead_letter.ts";
import { SessionFigures } from "./session.ts";
import { TABLES } from "./tables.ts";
import { MERCHANT_CATEGORIES, ProcessedTransaction } from "./transaction.ts";

Deno.test("the data dictionary names every field, column and category", async () => {
  const text = await Deno.readTextFile(new URL("../docs/data-dictionary.md", import.meta.url));
  const wanted = [
    ...[ProcessedTransaction, Alert, DeadLetter, FieldError, SessionFigures]
      .flatMap((schema) => Object.keys(schema.shape)),
    ...Object.values(TABLES).flatMap((table) => table.columns.map((column) => column.name)),
    ...MERCHANT_CATEGORIES,
    ...["trace", "injected", "high-value", "rapid-activity", "unusual-hour"],
  ];
  const missing = [...new Set(wanted)].filter((name) => !text.includes(`\`${name}\``));
  assertEquals(missing, []);
});
