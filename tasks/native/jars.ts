/**
 * The jars of Kafka and of the Iceberg REST catalog: resolved once by Maven from the pinned poms beside
 * this file into `.cache/jars-<hash of the poms>` of the project, shared by every pipeline and test run.
 */
import { projectRoot } from "../../runtime/env.ts";
import { dirname, fromFileUrl, join } from "../../runtime/path.ts";

/** Folder of this file: poms, jetty.xml. */
export const NATIVE_DIR: string = dirname(fromFileUrl(import.meta.url));
const POMS = ["pom.xml", "kafka/pom.xml", "catalog/pom.xml"];
const RESOLVE = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";

/** Where the jars of each program lie. */
export interface Jars {
  kafka: string;
  catalog: string;
}

/** Thrown when Maven is missing or fails; `output` holds its last lines. */
export class JarsError extends Error {
  override name = "JarsError";
  constructor(message: string, readonly output: string) {
    super(message);
  }
}

/** Options of {@linkcode ensureJars}. */
export interface EnsureJarsOptions {
  /** Called with each line that Maven prints (downloads among them). */
  onLine?: (line: string) => void;
}

/** The folder for the present poms, whether it exists or not. */
export async function jarsFolder(): Promise<string> {
  const texts = await Promise.all(POMS.map((name) => Deno.readTextFile(join(NATIVE_DIR, name))));
  const bytes = new TextEncoder().encode(texts.join("\0"));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hash = Array.from(digest.subarray(0, 6), (byte) => byte.toString(16).padStart(2, "0"));
  return join(projectRoot, ".cache", `jars-${hash.join("")}`);
}

/** The jars if they are already there, else undefined. */
export async function findJars(): Promise<Jars | undefined> {
  const folder = await jarsFolder();
  const jars = { kafka: join(folder, "kafka"), catalog: join(folder, "catalog") };
  for (const path of [jars.kafka, jars.catalog]) {
    const there = await Deno.stat(path).then((info) => info.isDirectory, () => false);
    if (!there) return undefined;
  }
  return jars;
}

/**
 * The jars, resolved by Maven when they are missing. Two runs at once both resolve into a folder of their
 * own and the first rename wins, so a folder with the final name is always complete.
 *
 * @throws {JarsError} when Maven is not there or cannot resolve them.
 */
export async function ensureJars(options: EnsureJarsOptions = {}): Promise<Jars> {
  const found = await findJars();
  if (found !== undefined) return found;
  const folder = await jarsFolder();
  const staging = `${folder}.${Deno.pid}.tmp`;
  await Deno.mkdir(staging, { recursive: true });
  try {
    await runMaven(staging, options.onLine ?? (() => {}));
    await Deno.rename(staging, folder).catch(async (error) => {
      if (await findJars() === undefined) throw error;
    });
  } finally {
    await Deno.remove(staging, { recursive: true }).catch(() => {});
  }
  const jars = await findJars();
  if (jars === undefined) throw new JarsError(`Cannot resolve jars: "${folder}" is incomplete`, "");
  return jars;
}

async function runMaven(target: string, onLine: (line: string) => void): Promise<void> {
  const command = new Deno.Command("mvn", {
    args: ["-B", "-f", join(NATIVE_DIR, "pom.xml"), RESOLVE, `-Djars.dir=${target}`],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  });
  let child: Deno.ChildProcess;
  try {
    child = command.spawn();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new JarsError('Cannot resolve jars: "mvn" is not on the PATH', "");
  }
  const last: string[] = [];
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      onLine(line);
      last.push(line);
      if (last.length > 40) last.shift();
    }
  }
  const { code } = await child.status;
  if (code !== 0) {
    const output = last.filter((line) => line.includes("ERROR")).join("\n") || last.join("\n");
    throw new JarsError(`Cannot resolve jars: Maven ended with code ${code}`, output);
  }
}
