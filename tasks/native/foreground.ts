/** `deno task up --foreground`: tells what happens to the services until Ctrl-C, then stops them. */
import { EXIT } from "../../contracts/errors.ts";
import type { Place } from "./place.ts";
import { sleep } from "./process.ts";
import { stopSupervisor } from "./start.ts";
import { liveState, type SupervisedService } from "./state.ts";

const POLL_MS = 500;

/** Runs until the signal or the supervisor's end. */
export async function foreground(place: Place, signal: AbortSignal): Promise<number> {
  console.log("\nCtrl-C stops everything.");
  const seen = new Map<string, SupervisedService>();
  while (!signal.aborted) {
    const state = await liveState(place.layout);
    if (state === undefined) {
      console.error("The supervisor has ended");
      return EXIT.unreachable;
    }
    for (const service of state.services) {
      const before = seen.get(service.name);
      if (before !== undefined && before.restarts < service.restarts) {
        console.log(`${service.name} died: ${service.last_error}`);
      }
      if (before !== undefined && before.ready !== service.ready) {
        console.log(`${state.updated_at} ${service.name} is ${service.ready ? "" : "not "}ready`);
      }
      seen.set(service.name, service);
    }
    await sleep(POLL_MS);
  }
  console.log("Stopping…");
  await stopSupervisor(place);
  return EXIT.ok;
}
