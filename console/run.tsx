/** Runs the console: sources fill the store, Ink draws it, keys go to effects; the terminal is given back. */
import process from "node:process";
import { render } from "ink";
import type { Command } from "./keys/commands.ts";
import { dispatchKey } from "./keys/dispatch.ts";
import type { ConsolePorts } from "./ports.ts";
import { pause } from "./source/poll.ts";
import { type Sources, startSources } from "./source/sources.ts";
import { createEffects } from "./steer/effects.ts";
import type { Fact } from "./store/facts.ts";
import { initialState } from "./store/state.ts";
import { createStore } from "./store/store.ts";
import { pacedStore } from "./store/paced.ts";
import { guardTerminal } from "./terminal.ts";
import { App } from "./views/app.tsx";

/** Most frames a second. */
export const FPS_MAX = 15;

/** How long connections may take to close once the screen is down, ms. */
const CLOSE_MS_MAX = 2000;

/** Runs until the operator quits; resolves to the exit code. */
export async function runConsole(
  ports: ConsolePorts,
  { onFrame }: { onFrame?: () => void } = {},
): Promise<number> {
  const stop = new AbortController();
  const size = { columns: process.stdout.columns ?? 80, rows: process.stdout.rows ?? 24 };
  const store = createStore(initialState(ports.settings, { nowMs: ports.now(), ...size }));
  const paced = pacedStore(store);
  const emit = (fact: Fact): void => store.dispatch({ type: "fact", fact });
  const effects = createEffects({
    ports,
    emit,
    act: (action) => paced.now({ type: "ui", action }),
    state: store.get,
    quit: () => stop.abort(),
    signal: stop.signal,
  });
  const run = (command: Command): void => {
    if ("ui" in command) paced.now({ type: "ui", action: command.ui });
    else effects.run(command.effect);
  };
  const app = render(
    <App
      store={paced}
      onKey={(key) => dispatchKey(store.get(), key).forEach(run)}
      onResize={(to) => paced.now({ type: "ui", action: { type: "resize", ...to } })}
    />,
    {
      // A terminal is a terminal even where CI is set, as under a test runner or in some containers.
      interactive: Deno.stdout.isTerminal(),
      alternateScreen: true,
      incrementalRendering: true,
      maxFps: FPS_MAX,
      exitOnCtrlC: false,
      patchConsole: false,
      ...(onFrame === undefined ? {} : { onRender: onFrame }),
    },
  );
  const guard = guardTerminal({ unmount: () => app.unmount(), stop: () => stop.abort() });
  stop.signal.addEventListener("abort", () => app.unmount(), { once: true });
  const clock = setInterval(() => store.dispatch({ type: "tick", nowMs: ports.now() }), 1000);
  let sources: Sources | undefined;
  try {
    const watched = () => store.get().ui.screen;
    sources = startSources(ports, emit, { signal: stop.signal, watched });
    await app.waitUntilExit();
  } finally {
    clearInterval(clock);
    stop.abort();
    paced.close();
    app.unmount();
    await Promise.race([sources?.close(), pause(CLOSE_MS_MAX)]);
    guard.release();
  }
  return guard.exitCode();
}
