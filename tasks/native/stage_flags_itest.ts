import { assertEquals } from "@std/assert";
import { projectRoot } from "../../runtime/env.ts";
import { join } from "../../runtime/path.ts";
import { currentPlace } from "./place.ts";
import { stageFlags } from "./stage_flags.ts";

async function evaluate(flags: string[], code: string): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: "stage_flags_" });
  try {
    const script = join(dir, "script.ts");
    await Deno.writeTextFile(script, code);
    const config = join(projectRoot, "deno.json");
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--cached-only", "--config", config, ...flags, script],
    }).output();
    return (new TextDecoder().decode(stdout) || new TextDecoder().decode(stderr)).trim();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const ADDON = join(projectRoot, "broker", "crc32c_addon.ts");

for (const name of ["processor", "sink"] as const) {
  Deno.test(`${name}: its permissions let it load the addon for checksums, and nothing else native`, async () => {
    const flags = stageFlags(await currentPlace(), name);
    const load = `import { loadCrc32cAddon } from ${JSON.stringify(ADDON)};
      console.log(String(await loadCrc32cAddon()));`;
    assertEquals(await evaluate(flags, load), "true");
    const open = `try { Deno.dlopen("libc.so.6", {}); console.log("opened"); }
      catch (error) { console.log(error.name); }`;
    assertEquals(await evaluate(flags, open), "NotCapable");
  });
}
