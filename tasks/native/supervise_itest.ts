/** The supervisor over small programs: start order, deaths, adoption, requests, stop order. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { ServiceName } from "../../contracts/services.ts";
import { createLogger } from "../../runtime/log.ts";
import { join } from "../../runtime/path.ts";
import { type Layout, layoutOf, pidPath } from "./layout.ts";
import { isAlive, readPidFile, sleep } from "./process.ts";
import type { ServiceSpec } from "./service_spec.ts";
import {
  readState,
  requestDone,
  sendRequest,
  type SupervisedService,
  type SupervisorState,
} from "./state.ts";
import { stopNative } from "./stop.ts";
import { supervise } from "./supervise.ts";

/** Appends its name to `order` when it is told to stop. */
function program(layout: Layout, name: string): string[] {
  const order = join(layout.root, "order");
  return ["sh", "-c", `trap 'echo ${name} >>${order}; exit 0' TERM; while :; do sleep 0.02; done`];
}

function spec(layout: Layout, name: ServiceSpec["name"], more: Partial<ServiceSpec> = {}) {
  return {
    name,
    command: program(layout, name),
    env: { PATH: Deno.env.get("PATH") ?? "" },
    address: `${name}:1`,
    graceMs: 3_000,
    ready: () => Promise.resolve({ ready: true, reasons: [] }),
    ...more,
  } satisfies ServiceSpec;
}

interface Running {
  layout: Layout;
  state(): Promise<SupervisorState>;
  until(condition: (state: SupervisorState) => boolean): Promise<SupervisorState>;
  service(name: string): Promise<SupervisedService>;
  /** Ends the supervisor in order; resolves to its exit code. */
  stop(): Promise<number>;
  code: Promise<number>;
}

async function inFolder(check: (layout: Layout) => Promise<void>): Promise<void> {
  const layout = layoutOf(await Deno.makeTempDir());
  for (const folder of [layout.run, layout.logs, layout.requests]) {
    await Deno.mkdir(folder, { recursive: true });
  }
  try {
    await check(layout);
  } finally {
    await stopNative(layout);
    await Deno.remove(layout.root, { recursive: true });
  }
}

function start(
  layout: Layout,
  specs: readonly ServiceSpec[],
  without: readonly ServiceName[] = [],
): Running {
  const controller = new AbortController();
  const log = createLogger({ component: "supervisor", sessionId: "s", write: () => {} });
  const code = supervise({ layout, specs, without, signal: controller.signal, log });
  const running: Running = {
    layout,
    code,
    state: async () => await readState(layout) ?? await running.state(),
    until: async (condition) => {
      while (true) {
        const state = await running.state();
        if (condition(state)) return state;
        await sleep(20);
      }
    },
    service: async (name) => {
      const found = (await running.state()).services.find((service) => service.name === name);
      assert(found !== undefined);
      return found;
    },
    stop: () => {
      controller.abort();
      return code;
    },
  };
  return running;
}

const isRunning = (state: SupervisorState) => state.phase === "running";

Deno.test("supervise() starts one after another where a step follows, and stops in the flow's order", async () => {
  await inFolder(async (layout) => {
    const begun: string[] = [];
    const note = (name: ServiceSpec["name"], more: Partial<ServiceSpec> = {}) =>
      spec(layout, name, { prepare: () => Promise.resolve(void begun.push(name)), ...more });
    const running = start(layout, [
      note("kafka", { settle: () => Promise.resolve(void begun.push("topics")).then(() => "6") }),
      note("catalog", { settle: () => Promise.resolve("there") }),
      note("generator"),
      note("processor"),
      note("sink"),
    ]);
    const state = await running.until(isRunning);
    assertEquals(begun.slice(0, 3), ["kafka", "topics", "catalog"]);
    assertEquals(begun.slice(3).sort(), ["generator", "processor", "sink"]);
    assertEquals(state.steps.map((step) => step.state), Array(7).fill("done"));
    assertEquals(await running.stop(), 0);
    const order = (await Deno.readTextFile(join(layout.root, "order"))).trim().split("\n");
    assertEquals(order, ["generator", "processor", "sink", "catalog", "kafka"]);
    assertEquals((await running.state()).phase, "stopped");
  });
});

Deno.test("supervise() starts a killed service again, counts it and says why", async () => {
  await inFolder(async (layout) => {
    const running = start(layout, [spec(layout, "sink")]);
    await running.until(isRunning);
    const before = await running.service("sink");
    Deno.kill(before.pid!, "SIGKILL");
    await running.until(({ services }) => services[0]!.restarts === 1 && services[0]!.ready);
    const after = await running.service("sink");
    assert(after.pid !== before.pid);
    assertEquals(after.state, "running");
    assertStringIncludes(after.last_error ?? "", "SIGKILL");
    await running.stop();
  });
});

Deno.test("supervise() kills a service that runs but does not answer, and starts it again", async () => {
  await inFolder(async (layout) => {
    let answers = false;
    const running = start(layout, [
      spec(layout, "sink", {
        hungMs: 0,
        alive: () => Promise.resolve(answers),
        ready: () => Promise.resolve({ ready: answers, reasons: answers ? [] : ["silent"] }),
      }),
    ]);
    await running.until(({ services }) => services[0]?.restarts === 1);
    answers = true;
    await running.until(isRunning);
    assertStringIncludes((await running.service("sink")).last_error ?? "", "did not answer");
    await running.stop();
  });
});

Deno.test("supervise() ends a start that cannot work with the service's own words, and leaves nothing", async () => {
  await inFolder(async (layout) => {
    const command = ["sh", "-c", "echo 'rules.yaml:3: severity'; exit 2"];
    const running = start(layout, [
      spec(layout, "kafka", { settle: () => Promise.resolve("") }),
      spec(layout, "processor", {
        command,
        ready: () => Promise.resolve({ ready: false, reasons: ["no"] }),
      }),
    ]);
    assertEquals(await running.code, 2);
    const state = await running.state();
    assertEquals(state.phase, "failed");
    assertStringIncludes(state.error ?? "", "rules.yaml:3: severity");
    const kafka = await readPidFile(pidPath(layout, "kafka"));
    assertEquals(await isAlive(kafka!), false);
  });
});

Deno.test("supervise() leaves a service stopped that is not wanted, until a request", async () => {
  await inFolder(async (layout) => {
    const running = start(layout, [spec(layout, "generator"), spec(layout, "sink")], ["generator"]);
    await running.until(isRunning);
    assertEquals((await running.service("generator")).state, "stopped");
    const sink = await running.service("sink");
    for (const name of ["generator", "sink"] as const) {
      const path = await sendRequest(layout, { action: "restart", service: name });
      assert(await requestDone(path, 10_000));
    }
    await running.until(({ services }) => services.every((service) => service.ready));
    const again = await running.service("sink");
    assert(again.pid !== sink.pid);
    assertEquals([again.restarts, again.last_error], [0, null]);
    await running.stop();
  });
});

Deno.test("a supervisor adopts what a killed one left when it is the same, and replaces it otherwise", async () => {
  await inFolder(async (layout) => {
    const script = `
      import { supervise } from ${JSON.stringify(import.meta.resolve("./supervise.ts"))};
      import { layoutOf } from ${JSON.stringify(import.meta.resolve("./layout.ts"))};
      const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
      const spec = (name, command) => ({
        name, command, env: { PATH: Deno.env.get("PATH") }, address: name + ":1", graceMs: 3000,
        ready: async () => ({ ready: true, reasons: [] }),
      });
      const [root, ...commands] = Deno.args;
      await supervise({
        layout: layoutOf(root), without: [], signal: new AbortController().signal, log: silent,
        specs: [spec("processor", JSON.parse(commands[0])), spec("sink", JSON.parse(commands[1]))],
      });`;
    const commands = ["processor", "sink"].map((name) => JSON.stringify(program(layout, name)));
    const file = join(layout.root, "first.ts");
    await Deno.writeTextFile(file, script);
    const first = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "-A", file, layout.root, ...commands],
    }).spawn();
    let state: SupervisorState | undefined;
    while (state?.phase !== "running") {
      await sleep(50);
      state = await readState(layout);
    }
    first.kill("SIGKILL");
    await first.status;
    const changed = spec(layout, "sink", { command: [...program(layout, "sink"), "changed"] });
    const running = start(layout, [spec(layout, "processor"), changed]);
    await running.until((now) => isRunning(now) && now.supervisor.pid === Deno.pid);
    const pidBefore = (name: string) => state.services.find((one) => one.name === name)?.pid;
    assertEquals((await running.service("processor")).pid, pidBefore("processor"));
    assert((await running.service("sink")).pid !== pidBefore("sink"));
    await running.stop();
  });
});
