import { assertEquals } from "@std/assert";
import type { Cell } from "../engine.ts";
import { fitWidths } from "./table.ts";
import { cutText, displayWidth, safeText } from "./text.ts";
import type { TextFormat } from "./writer.ts";
import { formatWriter } from "./writer.ts";

const COLUMNS = [
  { name: "id", type: "VARCHAR", numeric: false },
  { name: "amount", type: "DECIMAL(18,4)", numeric: true },
  { name: "n|te", type: "VARCHAR", numeric: false },
];
const ROWS: Cell[][] = [["a", "12.5000", null], ["b", "-1.0000", 'x "y", z\n2']];

function print(format: TextFormat, rows: Cell[][], width?: number): string {
  const writer = formatWriter(format, {
    columns: COLUMNS,
    ...(width === undefined ? {} : { width }),
  });
  return writer.rows(rows) + writer.end();
}

Deno.test("json and ndjson keep decimals as strings", () => {
  const objects = [
    { id: "a", amount: "12.5000", "n|te": null },
    { id: "b", amount: "-1.0000", "n|te": 'x "y", z\n2' },
  ];
  assertEquals(JSON.parse(print("json", ROWS)), objects);
  assertEquals(print("ndjson", ROWS).trimEnd().split("\n").map((l) => JSON.parse(l)), objects);
  assertEquals(print("json", []), "[]\n");
  assertEquals(print("ndjson", []), "");
});

Deno.test("csv quotes as RFC 4180, tsv escapes; both keep the header of an empty answer", () => {
  assertEquals(print("csv", ROWS), 'id,amount,n|te\na,12.5000,\nb,-1.0000,"x ""y"", z\n2"\n');
  assertEquals(print("tsv", ROWS), 'id\tamount\tn|te\na\t12.5000\t\nb\t-1.0000\tx "y", z\\n2\n');
  assertEquals(print("csv", []), "id,amount,n|te\n");
});

Deno.test("markdown escapes bars and sets numbers to the right", () => {
  assertEquals(
    print("markdown", [["a|b", "1.0000", ""]]),
    "| id | amount | n\\|te |\n| --- | ---: | --- |\n| a\\|b | 1.0000 |  |\n",
  );
});

Deno.test("table aligns, shows NULL and makes control characters visible", () => {
  assertEquals(
    print("table", ROWS),
    [
      "id   amount  n|te",
      "──  ───────  ───────────",
      "a   12.5000  NULL",
      'b   -1.0000  x "y", z\\n2',
      "",
    ].join("\n"),
  );
});

Deno.test("table never exceeds the terminal, and turns vertical where it cannot fit", () => {
  const wide = print("table", [["a".repeat(50), "1.0000", "b".repeat(50)]], 40);
  assertEquals(wide.split("\n").filter((line) => displayWidth(line) > 40), []);
  assertEquals(print("table", ROWS, 10).startsWith("── 1"), true);
});

Deno.test("fitWidths() takes from the widest first", () => {
  assertEquals(fitWidths([10, 40, 6], 40), [10, 20, 6]);
  assertEquals(fitWidths([10, 10], 40), [10, 10]);
  assertEquals(fitWidths([10, 10, 10], 12), undefined);
});

Deno.test("text helpers count wide characters and disarm escapes", () => {
  assertEquals(displayWidth("日本é"), 5);
  assertEquals(cutText("abcdef", 4), "abc…");
  assertEquals(safeText("\x1b[31mred\n"), "\\x1b[31mred\\n");
});
