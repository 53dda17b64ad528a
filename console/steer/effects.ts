/** Does what keys ask for outside the state. Every failure becomes a message; none is thrown. */
import type { Effect } from "../keys/commands.ts";
import type { ConsolePorts } from "../ports.ts";
import type { Fact } from "../store/facts.ts";
import type { State } from "../store/state.ts";
import type { UiAction } from "../store/ui.ts";

/** What effects work with. */
export interface EffectContext {
  ports: ConsolePorts;
  emit: (fact: Fact) => void;
  act: (action: UiAction) => void;
  state: () => State;
  quit: () => void;
  signal: AbortSignal;
}

/** Runs effects. */
export interface Effects {
  run(effect: Effect): void;
}

/** Makes the runner. */
export function createEffects(context: EffectContext): Effects {
  return {
    run(effect) {
      if (effect.kind === "quit") context.quit();
    },
  };
}
