import { assertEquals } from "@std/assert";
import { LINE_BYTES_MAX, LineSplitter } from "./lines.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Lines of `text`, given in chunks of `size` bytes. */
function split(text: string | Uint8Array, size = 1 << 16) {
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  const splitter = new LineSplitter();
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const chunk = bytes.slice(at, at + size);
    lines.push(
      ...splitter.push(chunk).map((line) => `${line.number}:${decoder.decode(line.bytes)}`),
    );
  }
  lines.push(...splitter.end().map((line) => `${line.number}:${decoder.decode(line.bytes)}`));
  return { lines, splitter };
}

Deno.test("lines come whole, whatever the chunks", () => {
  const text = '{"a":1}\r\n\r\n  \n{"b":"é"}\nlast';
  for (const size of [1, 2, 3, 5, 100]) {
    const { lines, splitter } = split(text, size);
    assertEquals(lines, ['1:{"a":1}', '4:{"b":"é"}', "5:last"]);
    assertEquals([splitter.lines, splitter.blank, splitter.crlf], [5, 2, 2]);
  }
});

Deno.test("a line end at the end makes no further line; an empty input none", () => {
  assertEquals(split("a\nb\n").lines, ["1:a", "2:b"]);
  assertEquals(split("").splitter.lines, 0);
});

Deno.test("bytes stay as they are: not UTF-8, a lone CR inside, spaces around", () => {
  const splitter = new LineSplitter();
  const [line] = splitter.push(new Uint8Array([32, 0xff, 13, 65, 32, 10]));
  assertEquals([...line!.bytes], [32, 0xff, 13, 65, 32]);
});

Deno.test("a byte order mark is taken off the first line only", () => {
  const { lines } = split(new Uint8Array([0xef, 0xbb, 0xbf, 97, 10, 0xef, 0xbb, 0xbf, 98, 10]));
  assertEquals(lines.map((line) => line.length), [3, 4]);
});

Deno.test("a line that no record can hold is counted and dropped, however long, the next is fine", () => {
  const long = "x".repeat(LINE_BYTES_MAX + 1);
  for (const size of [1000, 1 << 16, 1 << 24]) {
    const { lines, splitter } = split(`a\n${long}\nb\n${long}`, size);
    assertEquals(lines, ["1:a", "3:b"]);
    assertEquals([splitter.tooLong, splitter.tooLongCount], [[2, 4], 2]);
  }
  assertEquals(split(`${long.slice(1)}\r\n`).lines.length, 1);
});
