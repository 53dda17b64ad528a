/**
 * Python as the independent judge: a virtual environment with pinned packages, made once under the
 * git-ignored `.cache/` and shared by all suites.
 */
import { projectRoot } from "../../runtime/env.ts";
import { join } from "../../runtime/path.ts";

/** Pins; the folder's name carries them, so that a change makes a new environment. */
// DuckDB and its extensions are of one release; the extensions come as packages, so no suite downloads.
export const PYTHON_PACKAGES = [
  "pyiceberg==0.12.0",
  "pyiceberg_core==0.10.1",
  "pyarrow==26.0.1",
  "duckdb==1.5.5",
  "duckdb_extension_avro==1.5.5",
  "duckdb_extension_iceberg==1.5.5",
  "duckdb_extension_httpfs==1.5.5",
] as const;

async function run(program: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(`Cannot run ${program} ${args[0]}: ${new TextDecoder().decode(stderr)}`);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Path of a python that has {@linkcode PYTHON_PACKAGES}. */
export async function ensurePython(): Promise<string> {
  const name = PYTHON_PACKAGES.join("_").replaceAll("==", "-");
  const folder = join(projectRoot, ".cache", `python_${name}`);
  const python = join(folder, "bin", "python");
  if (await exists(python)) return python;
  await Deno.mkdir(join(projectRoot, ".cache"), { recursive: true });
  const fresh = await Deno.makeTempDir({ dir: join(projectRoot, ".cache"), prefix: "python_new_" });
  await run("python3", ["-m", "venv", fresh]);
  await run(join(fresh, "bin", "python"), ["-m", "pip", "install", "-q", ...PYTHON_PACKAGES]);
  try {
    await Deno.rename(fresh, folder);
  } catch (error) {
    // Another suite was first; its environment is as good.
    await Deno.remove(fresh, { recursive: true });
    if (!await exists(python)) throw error;
  }
  return python;
}

/** Runs a Python program with `args` and returns what it printed. */
export async function runPython(program: string, args: string[]): Promise<string> {
  return await run(await ensurePython(), ["-c", program, ...args]);
}
