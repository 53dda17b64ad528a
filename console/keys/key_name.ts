/** Names of keys, as the key table has them. Pure. */

/** What Ink says of a key (its `Key`, the parts that are used). */
export interface InkKey {
  upArrow?: boolean;
  downArrow?: boolean;
  leftArrow?: boolean;
  rightArrow?: boolean;
  pageUp?: boolean;
  pageDown?: boolean;
  home?: boolean;
  end?: boolean;
  return?: boolean;
  escape?: boolean;
  tab?: boolean;
  shift?: boolean;
  ctrl?: boolean;
  backspace?: boolean;
  delete?: boolean;
  /** Alt, which terminals send as Esc in front: as does whoever types fast behind Esc. */
  meta?: boolean;
}

const NAMED: readonly (readonly [keyof InkKey, string])[] = [
  ["upArrow", "up"],
  ["downArrow", "down"],
  ["leftArrow", "left"],
  ["rightArrow", "right"],
  ["pageUp", "pageup"],
  ["pageDown", "pagedown"],
  ["home", "home"],
  ["end", "end"],
  ["return", "enter"],
  ["escape", "esc"],
  ["backspace", "backspace"],
  ["delete", "backspace"],
];

/** `j`, `up`, `enter`, `ctrl+c`, `shift+tab`, `space`. */
export function keyName(input: string, key: InkKey): string {
  if (key.tab) return key.shift ? "shift+tab" : "tab";
  for (const [flag, name] of NAMED) if (key[flag]) return name;
  if (key.ctrl) return `ctrl+${input}`;
  return input === " " ? "space" : input;
}

const CONTROLS: Readonly<Record<string, string>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\x7f": "backspace",
  "\b": "backspace",
  "\x03": "ctrl+c",
};

/**
 * The keys of one piece of input. Whoever types fast, or a terminal over a slow line, hands over several
 * characters at once; each is a key of its own. (What is pasted comes another way: `usePaste`.)
 */
export function keyNames(input: string, key: InkKey): string[] {
  // Nothing here is bound to Alt: it was Esc, and then a key.
  if (key.meta && input !== "") return ["esc", ...keyNames(input, { ...key, meta: false })];
  const characters = [...input];
  const named = NAMED.some(([flag]) => key[flag]) || key.tab === true || key.ctrl === true;
  if (named || characters.length < 2) return [keyName(input, key)];
  return characters.map((character) => CONTROLS[character] ?? keyName(character, {}));
}
