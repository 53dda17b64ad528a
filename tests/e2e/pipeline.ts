/** A whole native pipeline of a suite's own: its data, config copy and ports, driven by `deno task` alone. */
import { assertEquals } from "@std/assert";
import type { PipelineStatus } from "../../contracts/status.ts";
import { projectRoot } from "../../runtime/env.ts";
import { join } from "../../runtime/path.ts";
import { freePortOffset } from "../support/ports.ts";

/** What a verb said. */
export interface TaskResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** A pipeline in a temp folder. */
export interface TestPipeline {
  dir: string;
  configDir: string;
  env: Record<string, string>;
  /** Runs `deno task <words>` as a user would. */
  task(...words: string[]): Promise<TaskResult>;
  /** Runs it and insists on exit 0; returns stdout. */
  ok(...words: string[]): Promise<string>;
  status(): Promise<PipelineStatus>;
  /** Polls the status until `done`; throws with the last one after `seconds`. */
  until(what: string, done: (status: PipelineStatus) => boolean, seconds?: number): Promise<
    PipelineStatus
  >;
  /** Stops it and removes its folder. */
  dispose(): Promise<void>;
}

async function copyConfig(to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(join(projectRoot, "config"))) {
    await Deno.copyFile(join(projectRoot, "config", name), join(to, name));
  }
}

async function runDeno(args: string[], env: Record<string, string>): Promise<TaskResult> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    env,
    cwd: projectRoot,
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Makes the folder and finds the ports; starts nothing. */
export async function testPipeline(): Promise<TestPipeline> {
  const dir = await Deno.makeTempDir({ prefix: "pipeline_e2e_" });
  const configDir = join(dir, "config");
  await copyConfig(configDir);
  const env = {
    PIPELINE_DATA_DIR: join(dir, "data"),
    PIPELINE_CONFIG_DIR: configDir,
    PIPELINE_PORT_OFFSET: String(freePortOffset()),
    NO_COLOR: "1",
  };
  const task = (...words: string[]): Promise<TaskResult> =>
    runDeno(["task", "--quiet", ...words], env);

  async function ok(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await task(...words);
    assertEquals(code, 0, `deno task ${words.join(" ")}\n${stdout}\n${stderr}`);
    return stdout;
  }

  async function status(): Promise<PipelineStatus> {
    const { stdout, stderr } = await task("status", "--json");
    try {
      return JSON.parse(stdout) as PipelineStatus;
    } catch (error) {
      throw new Error(`Cannot read the status: ${stdout}\n${stderr}`, { cause: error });
    }
  }

  return {
    dir,
    configDir,
    env,
    task,
    ok,
    status,
    async until(what, done, seconds = 60) {
      const deadline = performance.now() + seconds * 1000;
      let last = await status();
      while (!done(last)) {
        if (performance.now() > deadline) {
          throw new Error(`Cannot see that ${what} within ${seconds} s: ${JSON.stringify(last)}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 500));
        last = await status();
      }
      return last;
    },
    async dispose() {
      await task("down", "--purge", "--yes");
      await Deno.remove(dir, { recursive: true });
    },
  };
}
