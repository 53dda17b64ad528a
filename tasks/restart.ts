/** `deno task restart <service>`: ends one service properly and starts it again. */
import { EXIT, MisuseError } from "../contracts/errors.ts";
import { SERVICE_NAMES, type ServiceName } from "../contracts/services.ts";
import { parseFlags, runTask } from "./cli.ts";
import { compose } from "./docker/engine.ts";
import { readMarker } from "./native/layout.ts";
import { currentPlace, type Place } from "./native/place.ts";
import { sleep } from "./native/process.ts";
import { StartError } from "./native/service_spec.ts";
import { liveState, requestDone, sendRequest } from "./native/state.ts";

const HELP = `deno task restart <${SERVICE_NAMES.join("|")}>

  Stops one service, waits for its clean end, starts it again, and waits until it is ready.
  A service that is stopped (up --no-generator) is started.

Exit codes: 0 ready, 1 it runs but is not ready, 2 misuse, 3 the pipeline does not run.`;

const REQUEST_MS_MAX = 30_000;
const READY_MS_MAX = 60_000;

async function restartNative(place: Place, name: ServiceName): Promise<number> {
  const { layout } = place;
  const began = performance.now();
  if (await liveState(layout) === undefined) {
    throw new StartError(
      `Cannot restart "${name}": the pipeline does not run. Start it: deno task up`,
      EXIT.unreachable,
    );
  }
  const path = await sendRequest(layout, { action: "restart", service: name });
  if (!await requestDone(path, REQUEST_MS_MAX)) {
    throw new StartError(
      `Cannot restart "${name}": the supervisor did not answer in ${REQUEST_MS_MAX / 1000} s`,
      EXIT.unreachable,
    );
  }
  while (performance.now() - began < REQUEST_MS_MAX + READY_MS_MAX) {
    const state = await liveState(layout);
    const service = state?.services.find((candidate) => candidate.name === name);
    if (service?.ready) {
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.log(`${name} is ready, pid ${service.pid} (${seconds} s)`);
      return EXIT.ok;
    }
    await sleep(200);
  }
  console.error(`${name} was started but is not ready; deno task status says why`);
  return EXIT.no;
}

if (import.meta.main) {
  await runTask(HELP, async (args) => {
    const flags = parseFlags(args, { wordsMax: 1 });
    const name = SERVICE_NAMES.find((candidate) => candidate === flags._[0]);
    if (name === undefined) {
      throw new MisuseError(
        `Cannot restart "${flags._[0] ?? ""}": expected one of ${SERVICE_NAMES.join(", ")}`,
      );
    }
    const place = await currentPlace();
    try {
      if ((await readMarker(place.layout))?.mode === "docker") {
        await compose(place, ["restart", name]);
        return EXIT.ok;
      }
      return await restartNative(place, name);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      console.error(error.message);
      return error.exitCode;
    }
  });
}
