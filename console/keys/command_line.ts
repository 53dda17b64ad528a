/** The `:` command line: `:rate 200`, `:alerts severity=high`, `:restart sink`, `:quit`. Pure. */
import { SERVICE_NAMES } from "../../contracts/services.ts";
import type { State } from "../store/state.ts";
import { type ScreenName, SCREENS } from "../store/ui.ts";
import { type Command, effect, toast, ui } from "./commands.ts";
import { confirmVerb } from "./steer_keys.ts";

interface CommandSpec {
  name: string;
  /** What may follow. */
  words: readonly string[];
  /** Changes the pipeline. */
  steers?: boolean;
  verb?: string;
  /** Undefined: the words make no sense; `usage` says what does. */
  run: (state: State, words: readonly string[]) => Command[] | undefined;
  usage: string;
}

/** A rate as typed: a number above 0 up to a million, or `max`. */
export function readRate(text: string): number | "max" | undefined {
  if (text === "max") return text;
  const rate = Number(text);
  return text.trim() !== "" && rate > 0 && rate <= 1_000_000 ? rate : undefined;
}

function screenSpec(screen: ScreenName): CommandSpec {
  return {
    name: screen,
    words: screen === "alerts" ? ["severity=high", "severity=critical", "rule="] : [],
    usage: `:${screen} [filter]`,
    run: (_, words) => [
      ui({ type: "screen", screen }),
      ...(words.length === 0 ? [] : [ui({ type: "filter", text: words.join(" ") })]),
    ],
  };
}

const SPECS: readonly CommandSpec[] = [
  ...SCREENS.map(screenSpec),
  {
    name: "rate",
    words: ["10", "100", "1000", "max"],
    steers: true,
    usage: ":rate <per second>|max",
    run: (_, [text = ""]) => {
      const rate = readRate(text);
      return rate === undefined ? undefined : [effect({ kind: "rate", rate })];
    },
  },
  {
    name: "pause",
    words: [],
    steers: true,
    usage: ":pause",
    run: () => [effect({ kind: "pause_generator", paused: true })],
  },
  {
    name: "resume",
    words: [],
    steers: true,
    usage: ":resume",
    run: () => [effect({ kind: "pause_generator", paused: false })],
  },
  {
    name: "restart",
    words: SERVICE_NAMES,
    steers: true,
    verb: "restart",
    usage: `:restart ${SERVICE_NAMES.join("|")}`,
    run: (state, [name]) => {
      if (!SERVICE_NAMES.some((one) => one === name)) return undefined;
      const note = "it ends properly and starts again";
      return confirmVerb(state, { words: ["restart", name!], name: name!, note });
    },
  },
  {
    name: "purge",
    words: [],
    steers: true,
    verb: "down",
    usage: ":purge",
    run: (state) =>
      confirmVerb(state, {
        words: ["down", "--purge", "--yes"],
        name: "purge",
        note: "stops the pipeline and deletes all of its data: topics, tables, logs",
      }),
  },
  {
    name: "up",
    words: [],
    steers: true,
    verb: "up",
    usage: ":up",
    run: () => [effect({ kind: "verb", words: ["up"] })],
  },
  { name: "quit", words: [], usage: ":quit", run: () => [effect({ kind: "quit" })] },
];

function offered(state: State): CommandSpec[] {
  return SPECS.filter(({ steers, verb }) =>
    !(steers && state.settings.readOnly !== false) &&
    (verb === undefined || state.settings.verbs.has(verb))
  );
}

/** What may stand in place of the last word, best first. */
export function completions(state: State, text: string): string[] {
  const words = text.split(" ");
  const last = words.at(-1)!;
  const specs = offered(state);
  const options = words.length === 1
    ? specs.map(({ name }) => name)
    : specs.find(({ name }) => name === words[0])?.words ?? [];
  return options.filter((option) => option.startsWith(last) && option !== last);
}

/** The text with its last word completed as far as all completions agree. */
export function completeText(state: State, text: string): string {
  const options = completions(state, text);
  const [first] = options;
  if (first === undefined) return text;
  let common = first;
  for (const option of options) {
    while (!option.startsWith(common)) common = common.slice(0, -1);
  }
  const words = text.split(" ");
  const done = options.length === 1 && words.length === 1 ? `${common} ` : common;
  return [...words.slice(0, -1), done].join(" ");
}

/** What a typed command does. A text that is none is explained and stays in the line. */
export function runCommand(state: State, text: string): Command[] {
  const [name = "", ...words] = text.trim().split(/\s+/);
  const close = ui({ type: "input", input: undefined });
  if (name === "") return [close];
  const short = name === "q" ? "quit" : name;
  const spec = SPECS.find((one) => one.name === short);
  const complain = (error: string): Command[] => [
    ui({ type: "input", input: { kind: "command", text, error } }),
  ];
  if (spec === undefined) {
    return complain(`no such command; ${offered(state).map((one) => one.name).join(" ")}`);
  }
  if (spec.steers && state.settings.readOnly !== false) {
    return [close, toast(`read-only (${state.settings.readOnly})`, "warn", state.nowMs)];
  }
  const commands = spec.run(state, words);
  return commands === undefined ? complain(`usage: ${spec.usage}`) : [close, ...commands];
}
