import { assertEquals } from "@std/assert";
import { claimScratch } from "./scratch.ts";

Deno.test("claimScratch() removes what dead sinks left, and leaves living ones alone", async () => {
  const root = await Deno.makeTempDir({ prefix: "sink_scratch_" });
  try {
    const living = await claimScratch(`${root}/spool`, "living");
    await Deno.mkdir(`${root}/spool/dead/transactions`, { recursive: true });
    await Deno.writeTextFile(`${root}/spool/dead/lock`, "");
    await Deno.writeTextFile(`${root}/spool/stray`, "");
    const next = await claimScratch(`${root}/spool`, "next");
    const names = [...Deno.readDirSync(`${root}/spool`)].map((entry) => entry.name).sort();
    assertEquals(names, ["living", "lock", "next"]);
    await living.release();
    await next.release();
    assertEquals([...Deno.readDirSync(`${root}/spool`)].map((entry) => entry.name), ["lock"]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
