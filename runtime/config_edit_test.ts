import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseDocument } from "@std/yaml";
import { editConfigText } from "./config_edit.ts";

const TEXT = `# What is generated
rate_per_second: 10   # per second
paused:   false

rules:
  - name: "a"   # first
    parameters: {amount: 1, currency: EUR}
`;

Deno.test("editConfigText() changes one value and not a byte around it", () => {
  assertEquals(
    editConfigText(TEXT, ["rate_per_second"], 250.5),
    TEXT.replace("rate_per_second: 10 ", "rate_per_second: 250.5 "),
  );
  assertEquals(
    editConfigText(TEXT, ["rate_per_second"], "max"),
    TEXT.replace("rate_per_second: 10 ", "rate_per_second: max "),
  );
  assertEquals(
    editConfigText(TEXT, ["rules", 0, "parameters", "amount"], 2),
    TEXT.replace("amount: 1", "amount: 2"),
  );
  assertEquals(editConfigText(TEXT, ["rules", 0, "name"], "b"), TEXT.replace('"a"', "b"));
});

Deno.test("editConfigText() keeps a string a string", () => {
  const edited = editConfigText(TEXT, ["rules", 0, "name"], "true");
  assertEquals(parseDocument(edited).getIn(["rules", 0, "name"]), "true");
});

Deno.test("editConfigText() keeps comments and order when it adds a key, and CRLF", () => {
  const edited = editConfigText(TEXT.replaceAll("\n", "\r\n"), ["seed"], 7);
  for (const comment of ["# What is generated", "# per second", "# first"]) {
    assert(edited.includes(comment), comment);
  }
  assert(edited.endsWith("seed: 7\r\n") && !/[^\r]\n/.test(edited));
});

Deno.test("editConfigText() refuses broken text and paths through a value", () => {
  assertThrows(() => editConfigText("a: [1", ["a"], 1), SyntaxError, "not valid YAML");
  assertThrows(() => editConfigText("a: 1", ["a", "b"], 1), SyntaxError, 'Cannot edit "a.b"');
});
