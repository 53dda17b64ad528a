import { assertEquals } from "@std/assert";
import { createLogger } from "../runtime/log.ts";
import { DiskGuard } from "./disk_guard.ts";

function newGuard(usage: () => number) {
  const events: string[] = [];
  const guard = new DiskGuard({
    paths: ["/data"],
    read: (path) => {
      const used_percent = usage();
      if (Number.isNaN(used_percent)) return Promise.reject(new Error("no such volume"));
      return Promise.resolve({ path, used_percent, free_bytes: 1 });
    },
    sleep: () => Promise.resolve(),
    log: createLogger({
      component: "disk",
      sessionId: "test",
      write: (line) => events.push(JSON.parse(line).event),
    }),
  });
  return { guard, events };
}

Deno.test("DiskGuard warns from 80 %, stops from 95 % and goes on by itself", async () => {
  const rows: [used: number, stopped: boolean, event: string | undefined][] = [
    [10, false, undefined],
    [79.9, false, undefined],
    [80, false, "disk_filling"],
    [94.9, false, undefined],
    [95, true, "disk_full"],
    [99, true, undefined],
    // Not at once: it must not switch with every file removed.
    [94.5, true, undefined],
    [93.9, false, "disk_filling"],
    [50, false, "disk_fine"],
  ];
  let used = 0;
  const { guard, events } = newGuard(() => used);
  for (const [percent, stopped, event] of rows) {
    used = percent;
    const before = events.length;
    await guard.look();
    assertEquals(guard.reason !== undefined, stopped, `${percent} %`);
    assertEquals(events.slice(before), event === undefined ? [] : [event], `${percent} %`);
  }
});

Deno.test("DiskGuard does not stop the work for a volume that cannot be read", async () => {
  let used = 96;
  const { guard, events } = newGuard(() => used);
  await guard.look();
  used = NaN;
  await guard.look();
  await guard.look();
  assertEquals([guard.reason, guard.usages, events], [undefined, [], [
    "disk_full",
    "disk_unreadable",
  ]]);
});
