import { assertEquals } from "@std/assert";
import { join } from "../../runtime/path.ts";
import { lastLines, LOG_PIECES_MAX, LogFollower, rotate } from "./log_files.ts";

async function inFolder(check: (path: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await check(join(dir, "x.log"));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const append = { append: true };

Deno.test("rotate() keeps a full log aside, a few pieces at most, and the same file goes on", async () => {
  await inFolder(async (path) => {
    assertEquals(await rotate(path, 10), false);
    const writer = await Deno.open(path, { create: true, append: true });
    for (let piece = 1; piece <= LOG_PIECES_MAX + 2; piece += 1) {
      await writer.write(new TextEncoder().encode(`piece ${piece} is long\n`));
      assertEquals(await rotate(path, 10), true);
    }
    await writer.write(new TextEncoder().encode("end\n"));
    writer.close();
    assertEquals(await Deno.readTextFile(path), "end\n");
    assertEquals(await Deno.readTextFile(`${path}.1`), "piece 5 is long\n");
    assertEquals(await Deno.readTextFile(`${path}.3`), "piece 3 is long\n");
    assertEquals(await lastLines(`${path}.4`, 5), []);
  });
});

Deno.test("LogFollower reads whole lines as they come, across a rotation and a split character", async () => {
  await inFolder(async (path) => {
    await Deno.writeTextFile(path, "old\n");
    const follower = new LogFollower(path);
    await follower.skipToEnd();
    await Deno.writeTextFile(path, "a\nb", append);
    assertEquals(await follower.read(), ["a"]);
    const bytes = new TextEncoder().encode("é\n");
    await Deno.writeFile(path, bytes.subarray(0, 1), append);
    assertEquals(await follower.read(), []);
    await Deno.writeFile(path, bytes.subarray(1), append);
    assertEquals(await follower.read(), ["bé"]);
    await Deno.truncate(path);
    await Deno.writeTextFile(path, "c\n", append);
    assertEquals(await follower.read(), ["c"]);
  });
});

Deno.test("lastLines() takes the end of a file", async () => {
  await inFolder(async (path) => {
    await Deno.writeTextFile(
      path,
      Array.from({ length: 50_000 }, (_, n) => `line ${n}\n`).join(""),
    );
    assertEquals(await lastLines(path, 2), ["line 49998", "line 49999"]);
  });
});
