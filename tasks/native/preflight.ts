/** What must be true before anything is started. Each problem is one message with the way to mend it. */
import { EXIT } from "../../contracts/errors.ts";
import { SCHEMA_VERSION } from "../../contracts/services.ts";
import { readDisk } from "../../runtime/disk.ts";
import { join } from "../../runtime/path.ts";
import { type DataFolder, readMarker } from "./layout.ts";
import { ownsJava, runsCatalog, runsKafka } from "./ownership.ts";
import type { Place } from "./place.ts";
import { findJars } from "./jars.ts";
import { StartError } from "./service_spec.ts";

/** Free space below which `up` refuses, in bytes. */
export const DISK_BYTES_MIN = 1024 ** 3;
/** Memory for a start below which `up` refuses, in bytes: what the five processes hold at rest. */
export const MEMORY_BYTES_MIN = 900 * 1024 ** 2;
/** Oldest Java that Kafka 3.9 and we are tested with. */
export const JAVA_MAJOR_MIN = 17;

/** A program that is missing, and how Debian calls it. */
export interface MissingProgram {
  program: "java" | "mvn";
  /** Packages that bring it. */
  packages: string[];
  reason: string;
}

/** Major version in the output of `java -version`; undefined when there is none. */
export function javaMajor(text: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

/** Java and Maven as far as they are needed and not there. */
export async function missingPrograms(place: Place): Promise<MissingProgram[]> {
  if (!ownsJava(place)) return [];
  const missing: MissingProgram[] = [];
  const java = await output("java", ["-version"]);
  const major = java === undefined ? undefined : javaMajor(java);
  if (major === undefined || major < JAVA_MAJOR_MIN) {
    missing.push({
      program: "java",
      packages: ["openjdk-17-jre-headless"],
      reason: major === undefined ? "no Java is on the PATH" : `the Java on the PATH is ${major}`,
    });
  }
  if (await findJars() === undefined && await output("mvn", ["-v"]) === undefined) {
    missing.push({ program: "mvn", packages: ["maven"], reason: "no Maven is on the PATH" });
  }
  return missing;
}

/** The message for programs that nobody installs for the user. */
export function missingProgramsError(missing: readonly MissingProgram[]): StartError {
  const reasons = missing.map(({ reason }) => reason).join(", ");
  const packages = missing.flatMap((one) => one.packages).join(" ");
  return new StartError(
    `Cannot run Kafka and the catalog: ${reasons}; Java ${JAVA_MAJOR_MIN} or newer and Maven are needed.\n` +
      `Debian, Ubuntu: sudo apt-get install -y ${packages}\nmacOS: brew install openjdk@21 maven`,
    EXIT.unreachable,
  );
}

/** True where `up` may install packages: root on a system with apt. */
export async function canInstall(): Promise<boolean> {
  return Deno.uid() === 0 && await output("apt-get", ["--version"]) !== undefined;
}

/** Installs packages by apt. Throws {@linkcode StartError} with its last lines when it fails. */
export async function aptInstall(packages: readonly string[]): Promise<void> {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const install = ["install", "-y", "--no-install-recommends", ...packages];
  let last = "";
  // The package lists of a fresh container are empty: update first, but an old list may do as well.
  for (const args of [["update"], install]) {
    const result = await new Deno.Command("apt-get", { args, env }).output();
    const decoder = new TextDecoder();
    last = decoder.decode(result.stderr) || decoder.decode(result.stdout);
    if (!result.success && args === install) {
      throw new StartError(
        `Cannot install "${packages.join(" ")}": ${last.trim().split("\n").slice(-3).join("\n")}`,
        EXIT.unreachable,
      );
    }
  }
}

/** Makes the folders of a place, or says which one cannot be written. */
export async function makeFolders(place: Place): Promise<void> {
  const { layout } = place;
  const folders = [
    layout.root,
    layout.kafka,
    layout.catalog,
    layout.warehouse,
    layout.spool,
    layout.logs,
    layout.run,
    layout.requests,
    layout.temp,
  ];
  try {
    for (const folder of folders) await Deno.mkdir(folder, { recursive: true });
    const probe = join(layout.root, `.probe-${crypto.randomUUID()}`);
    await Deno.writeTextFile(probe, "");
    await Deno.remove(probe);
  } catch (error) {
    throw new StartError(
      `Cannot write to the data folder "${layout.root}": ${(error as Error).message}\n` +
        `Make it yours (sudo chown -R "$USER" ${layout.root}), or name another: PIPELINE_DATA_DIR=…`,
      EXIT.unreachable,
    );
  }
}

/**
 * Checks whose folder it is: tables hold absolute paths, so a folder that was moved is refused, and so is
 * one that a newer version wrote. The first start marks it.
 */
export async function claimDataFolder(place: Place, mode: DataFolder["mode"]): Promise<void> {
  const { layout } = place;
  const known = await readMarker(layout);
  if (known !== undefined) checkDataFolder(known, layout.root);
  const folder: DataFolder = {
    schema_version: SCHEMA_VERSION,
    data_dir: layout.root,
    created_at: known?.created_at ?? new Date().toISOString(),
    mode,
  };
  await Deno.writeTextFile(`${layout.marker}.new`, JSON.stringify(folder, null, 1));
  await Deno.rename(`${layout.marker}.new`, layout.marker);
}

/** Throws {@linkcode StartError} when a marked folder is not one that can be used at `root`. */
export function checkDataFolder(known: DataFolder, root: string): void {
  if (Number(known.schema_version) > Number(SCHEMA_VERSION)) {
    throw new StartError(
      `Cannot use the data folder "${root}": it was written with schema_version ` +
        `${known.schema_version}, this program knows ${SCHEMA_VERSION}. Use the newer program`,
      EXIT.unreachable,
    );
  }
  if (known.data_dir !== root) {
    throw new StartError(
      `Cannot use the data folder "${root}": it was made as "${known.data_dir}" and its tables hold ` +
        `that path.\nMove it back: mv ${root} ${known.data_dir}`,
      EXIT.unreachable,
    );
  }
}

/** Refuses a volume or a machine that is too full to begin with. */
export async function checkResources(place: Place): Promise<void> {
  const disk = await readDisk(place.layout.root);
  if (disk.free_bytes < DISK_BYTES_MIN) {
    throw new StartError(
      `Cannot start with ${mib(disk.free_bytes)} free on the volume of "${place.layout.root}": ` +
        `${
          mib(DISK_BYTES_MIN)
        } are needed.\nFree some, or name another volume: PIPELINE_DATA_DIR=…`,
      EXIT.unreachable,
    );
  }
  const { available } = Deno.systemMemoryInfo();
  if (available < MEMORY_BYTES_MIN) {
    throw new StartError(
      `Cannot start with ${mib(available)} of memory left: ${mib(MEMORY_BYTES_MIN)} are needed.\n` +
        `Stop what uses it: ps aux --sort=-rss | head`,
      EXIT.unreachable,
    );
  }
}

/** Refuses ports that another program holds. Those in `ours` belong to services that are adopted. */
export function checkPorts(place: Place, ours: ReadonlySet<string>): void {
  const { ports, portOffset } = place.environment;
  const wanted = Object.entries(ports).filter(([name]) => {
    if (ours.has(name === "kafkaController" ? "kafka" : name)) return false;
    if (name === "catalog") return runsCatalog(place);
    return !name.startsWith("kafka") || runsKafka(place);
  });
  const taken = wanted.filter(([, port]) => !isFree(port));
  if (taken.length === 0) return;
  const list = taken.map(([name, port]) => `${port} (${name})`).join(", ");
  const numbers = taken.map(([, port]) => `:${port}`).join("|");
  throw new StartError(
    `Cannot use port ${list}: another program listens there.\n` +
      `See which (ss -ltnp | grep -E '${numbers}') and stop it, or take other ports: ` +
      `PIPELINE_PORT_OFFSET=${portOffset + 100} deno task up`,
    EXIT.unreachable,
  );
}

/** Whether a server could listen there: on all addresses, since one on 0.0.0.0 takes ours as well. */
function isFree(port: number): boolean {
  for (const hostname of ["127.0.0.1", "0.0.0.0"]) {
    try {
      Deno.listen({ hostname, port }).close();
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) return false;
      throw error;
    }
  }
  return true;
}

async function output(program: string, args: string[]): Promise<string | undefined> {
  try {
    const result = await new Deno.Command(program, { args, stdin: "null" }).output();
    const decoder = new TextDecoder();
    return result.success
      ? decoder.decode(result.stdout) + decoder.decode(result.stderr)
      : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}
