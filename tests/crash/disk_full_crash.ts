/**
 * A file system that fills up under the sink: a warning, a clean stop, and it goes on by itself; nothing is lost, says the audit too. The
 * file system is a tmpfs in a mount namespace of its own, so that no root is needed.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { projectRoot } from "../../runtime/env.ts";
import { join } from "../../runtime/path.ts";

Deno.test("the sink stops before the disk is full and goes on by itself", async () => {
  const root = await Deno.makeTempDir({ prefix: "sink_disk_" });
  const program = join(projectRoot, "tests", "crash", "disk_full_sink.ts");
  const script = 'mount -t tmpfs -o size=96m tmpfs "$1" && exec "$2" run -A "$3" "$1"';
  try {
    const { success, stdout, stderr } = await new Deno.Command("unshare", {
      args: [
        ...["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"],
        ...[root, Deno.execPath(), program],
      ],
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const seen = JSON.parse(new TextDecoder().decode(stdout));
    const { reasons, ...rest } = seen;
    assertEquals(rest, {
      warned_and_went_on: true,
      stood_still: true,
      went_on: true,
      went_on_after_failed_writes: true,
      rows_are_whole: true,
      audited: { clean: true, all: true },
    });
    assertStringIncludes(reasons[0], "writing is stopped from 95 %");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
