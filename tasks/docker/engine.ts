/** The same pipeline under Docker Compose, where an engine answers. */
import { EXIT } from "../../contracts/errors.ts";
import { projectRoot } from "../../runtime/env.ts";
import { join } from "../../runtime/path.ts";
import type { Place } from "../native/place.ts";
import { StartError } from "../native/service_spec.ts";

const ANSWER_MS_MAX = 5_000;

/**
 * True when a Docker engine answers and Compose v2 is there. A client alone is not an engine, so the
 * server's version is asked for.
 */
export async function engineAnswers(): Promise<boolean> {
  const server = await answers(["version", "--format", "{{.Server.Version}}"]);
  return server && await answers(["compose", "version"]);
}

async function answers(args: string[]): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    const command = new Deno.Command("docker", {
      args,
      signal,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
    return (await command.spawn().status).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof DOMException) return false;
    throw error;
  }
}

/** Name of the Compose project: one per data folder, so that two pipelines do not share containers. */
export async function projectName(dataDir: string): Promise<string> {
  if (dataDir === join(projectRoot, ".data")) return "pipeline";
  const bytes = new TextEncoder().encode(dataDir);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hash = Array.from(digest.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0"));
  return `pipeline-${hash.join("")}`;
}

/** Variables that compose.yaml takes: host ports with the offset added, the config folder, the salt. */
export function composeEnvironment(place: Place): Record<string, string> {
  const { ports, configDir, maskSalt } = place.environment;
  return {
    KAFKA_PORT: String(ports.kafka),
    CATALOG_PORT: String(ports.catalog),
    GENERATOR_PORT: String(ports.generator),
    PROCESSOR_PORT: String(ports.processor),
    SINK_PORT: String(ports.sink),
    CONFIG_DIR: configDir,
    ...(maskSalt === undefined ? {} : { PIPELINE_MASK_SALT: maskSalt }),
  };
}

/**
 * Runs `docker compose` for a place, its output going to ours.
 *
 * @throws {StartError} when it fails.
 */
export async function compose(place: Place, args: readonly string[]): Promise<void> {
  const project = await projectName(place.environment.dataDir);
  const child = new Deno.Command("docker", {
    args: ["compose", "-p", project, "-f", join(projectRoot, "compose.yaml"), ...args],
    env: composeEnvironment(place),
    cwd: projectRoot,
    stdin: "null",
  }).spawn();
  const { success, code } = await child.status;
  if (success) return;
  throw new StartError(
    `Cannot run "docker compose ${args.join(" ")}": it ended with code ${code}`,
    EXIT.unreachable,
  );
}
