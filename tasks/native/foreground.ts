/** `deno task up --foreground`: tells what happens to the services until Ctrl-C, then stops them. */
import { EXIT } from "../../contracts/errors.ts";
import type { Place } from "./place.ts";
import { sleep } from "./process.ts";
import { stopSupervisor } from "./start.ts";
import { liveState } from "./state.ts";

const POLL_MS = 500;

/** Runs until the signal or the supervisor's end. */
export async function foreground(place: Place, signal: AbortSignal): Promise<number> {
  console.log("\nCtrl-C stops everything.");
  const seen = new Map<string, string>();
  while (!signal.aborted) {
    const state = await liveState(place.layout);
    if (state === undefined) {
      console.error("The supervisor has ended");
      return EXIT.unreachable;
    }
    for (const service of state.services) {
      const now = `${service.state}${service.ready ? ", ready" : ""}`;
      if (seen.has(service.name) && seen.get(service.name) !== now) {
        const why = service.state === "backoff" ? `: ${service.last_error}` : "";
        console.log(`${state.updated_at} ${service.name}: ${now}${why}`);
      }
      seen.set(service.name, now);
    }
    await sleep(POLL_MS);
  }
  console.log("Stopping…");
  await stopSupervisor(place);
  return EXIT.ok;
}
