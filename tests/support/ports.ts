/** Ports for pipelines of suites and benches. */
import { BASE_PORTS } from "../../contracts/services.ts";

const STEP = 100;
const OFFSET_MIN = 3000;
/**
 * Every port stays below 32768: from there on Linux gives them to outgoing connections, and one of those could take a
 * port between this look and the start of its service.
 */
const OFFSET_MAX = 23_600;
const ATTEMPTS_MAX = 200;

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

/**
 * A PIPELINE_PORT_OFFSET at which every service's port is free, and which is none of `taken`: those that were chosen
 * for services which do not listen yet.
 */
export function freePortOffset(taken: readonly number[] = []): number {
  const steps = (OFFSET_MAX - OFFSET_MIN) / STEP + 1;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const offset = OFFSET_MIN + STEP * Math.floor(Math.random() * steps);
    const ports = Object.values(BASE_PORTS).map((port) => port + offset);
    if (!taken.includes(offset) && ports.every(isFree)) return offset;
  }
  throw new Error(`Cannot find a free port offset between ${OFFSET_MIN} and ${OFFSET_MAX}`);
}
