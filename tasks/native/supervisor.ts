/**
 * The supervisor process: `deno task up` starts it, it outlives the prompt. Its arguments are names of
 * services to leave stopped. It runs with all permissions: it starts programs, which is every permission.
 */
import { SCHEMA_VERSION, SERVICE_NAMES } from "../../contracts/services.ts";
import { createLogger } from "../../runtime/log.ts";
import { join } from "../../runtime/path.ts";
import { ensureJars } from "./jars.ts";
import { pidPath } from "./layout.ts";
import { ownsJava } from "./ownership.ts";
import { currentPlace } from "./place.ts";
import { identityOf } from "./process.ts";
import { serviceSpecs } from "./specs.ts";
import { supervise } from "./supervise.ts";

const log = createLogger({ component: "supervisor", sessionId: crypto.randomUUID() });

/** Held until this process ends, however it ends: two supervisors would fight over the same services. */
async function holdLock(path: string): Promise<Deno.FsFile | undefined> {
  const file = await Deno.open(path, { create: true, write: true });
  return await file.tryLock(true) ? file : undefined;
}

/** Only the one that holds the lock may be found under the supervisor's name. */
async function recordOwnPid(path: string): Promise<void> {
  await Deno.writeTextFile(`${path}.new`, `${Deno.pid} ${await identityOf(Deno.pid)}\n`);
  await Deno.rename(`${path}.new`, path);
}

/** Unlike a stage's, a second signal changes nothing: the services would be left without a supervisor. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    Deno.addSignalListener(name, () => controller.abort(name));
  }
  return controller.signal;
}

if (import.meta.main) {
  const signal = stopSignal();
  const place = await currentPlace();
  const lock = await holdLock(join(place.layout.run, "supervisor.lock"));
  if (lock === undefined) {
    log.warn("another_supervisor_runs", { data_dir: place.layout.root });
    Deno.exit(0);
  }
  await recordOwnPid(pidPath(place.layout, "supervisor"));
  const jars = ownsJava(place) ? await ensureJars() : { kafka: "", catalog: "" };
  log.info("supervisor_started", { data_dir: place.layout.root, schema_version: SCHEMA_VERSION });
  const code = await supervise({
    layout: place.layout,
    specs: serviceSpecs(place, jars),
    without: SERVICE_NAMES.filter((name) => Deno.args.includes(name)),
    signal,
    log,
  });
  log.info("supervisor_stopped", { exit_code: code });
  Deno.exit(code);
}
