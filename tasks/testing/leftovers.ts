/** Pipelines that suites started and did not stop: ended here, and reported. */
import { layoutOf } from "../native/layout.ts";
import { stopNative } from "../native/stop.ts";
import { join } from "../../runtime/path.ts";

const DEPTH_MAX = 4;

/** Stops every native pipeline whose data folder lies below `folder`. Returns those that were running. */
export async function stopLeftovers(folder: string): Promise<string[]> {
  const running: string[] = [];
  for (const root of await dataFolders(folder, DEPTH_MAX)) {
    const { stopped } = await stopNative(layoutOf(root));
    if (stopped.length > 0) running.push(`${root}: ${stopped.join(", ")}`);
  }
  return running;
}

async function dataFolders(folder: string, depth: number): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.name === "pipeline.json") found.push(folder);
    else if (entry.isDirectory && depth > 0) {
      found.push(...await dataFolders(join(folder, entry.name), depth - 1));
    }
  }
  return found;
}
