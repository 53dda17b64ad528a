import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConfigError, type ConfigIssue } from "../contracts/errors.ts";
import { GeneratorConfig } from "../contracts/generator_config.ts";
import {
  ConfigChangedError,
  editConfigFile,
  editConfigText,
  readConfigFile,
  watchConfigFile,
} from "./config_file.ts";
import { readDisk } from "./disk.ts";
import { createMetrics } from "./metrics.ts";
import { serveStage } from "./http.ts";
import type { StageStatus } from "../contracts/status.ts";

async function withFile(
  text: string,
  body: (path: string, dir: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/generator.yaml`;
  await Deno.writeTextFile(path, text);
  try {
    await body(path, dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("watchConfigFile() reports each good and each broken version once, and survives removal", async () => {
  await withFile("seed: 1\n", async (path) => {
    const events: (number | string)[] = [];
    const waiters: (() => void)[] = [];
    const stop = new AbortController();
    const push = (event: number | string) => {
      events.push(event);
      waiters.shift()?.();
    };
    const next = async (change: () => Promise<void>) => {
      const seen = new Promise<void>((resolve) => waiters.push(resolve));
      await change();
      await seen;
    };
    const watching = { done: Promise.resolve() };
    await next(() => {
      watching.done = watchConfigFile({
        path,
        schema: GeneratorConfig,
        onValue: (value) => push(value.seed),
        onIssues: (issues: ConfigIssue[]) => push(issues[0]!.field + ":" + issues[0]!.value),
        pollMs: 5,
        settleMs: 1,
        signal: stop.signal,
      });
      return Promise.resolve();
    });
    await next(() => Deno.writeTextFile(path, "seed: two\n"));
    await next(() => Deno.writeTextFile(path, "seed: 3\n"));
    await next(() => Deno.remove(path));
    await next(() => Deno.writeTextFile(path, "seed: 3\n"));
    stop.abort();
    await watching.done;
    assertEquals(events, [1, 'seed:"two"', 3, "$:no such file", 3]);
  });
});

Deno.test("editConfigFile() replaces the file whole and keeps its mode", async () => {
  await withFile("seed: 1 # one\n", async (path, dir) => {
    await Deno.chmod(path, 0o640);
    const text = await editConfigFile(path, { edit: (text) => editConfigText(text, ["seed"], 2) });
    assertEquals([text, await Deno.readTextFile(path)], ["seed: 2 # one\n", "seed: 2 # one\n"]);
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o640);
    assertEquals([...Deno.readDirSync(dir)].length, 1);
  });
});

Deno.test("editConfigFile() refuses a file that changed underneath, and an edit that breaks it", async () => {
  await withFile("seed: 1\n", async (path, dir) => {
    await assertRejects(
      () =>
        editConfigFile(path, {
          edit(text) {
            Deno.writeTextFileSync(path, "seed: 5\n");
            return text.replace("1", "2");
          },
        }),
      ConfigChangedError,
    );
    await assertRejects(
      () => editConfigFile(path, { edit: (text) => text, expectText: "seed: 1\n" }),
      ConfigChangedError,
    );
    const issue = { file: "f", field: "seed", value: "x", expected: "int" };
    await assertRejects(
      () => editConfigFile(path, { edit: () => "seed: x\n", validate: () => [issue] }),
      ConfigError,
      "expected int",
    );
    assertEquals(await Deno.readTextFile(path), "seed: 5\n");
    assertEquals([...Deno.readDirSync(dir)].length, 1);
  });
});

Deno.test("readConfigFile() names a missing file", async () => {
  const error = await assertRejects(
    () => readConfigFile("/nowhere/generator.yaml", GeneratorConfig),
    ConfigError,
  );
  assertEquals(error.issues[0]!.value, "no such file");
});

Deno.test("readDisk() reads the volume of a folder that does not exist yet", async () => {
  await withFile("", async (_path, dir) => {
    const disk = await readDisk(`${dir}/not/yet`);
    assert(disk.used_percent >= 0 && disk.used_percent <= 100 && disk.free_bytes > 0);
  });
});

Deno.test("serveStage() serves until its signal, and says when the port is taken", async () => {
  const stop = new AbortController();
  const parts = {
    status: () => ({}) as StageStatus,
    readiness: () => ({ ready: true, reasons: [] }),
    metrics: () => createMetrics().print(),
    signal: stop.signal,
  };
  const server = serveStage({ port: 0, ...parts });
  const response = await fetch(`http://127.0.0.1:${server.port}/readyz`);
  assertEquals([response.status, (await response.json()).ready], [200, true]);
  const error = await assertRejects(
    () => Promise.resolve().then(() => serveStage({ port: server.port, ...parts })),
    Error,
    "the port is taken",
  );
  assertEquals(error.name, "ServiceUnreachableError");
  stop.abort();
  await server.finished;
});
