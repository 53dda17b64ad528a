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

/** `j`, `up`, `enter`, `ctrl+c`, `shift+tab`, `space`; pasted text is one key of several characters. */
export function keyName(input: string, key: InkKey): string {
  if (key.tab) return key.shift ? "shift+tab" : "tab";
  for (const [flag, name] of NAMED) if (key[flag]) return name;
  if (key.ctrl) return `ctrl+${input}`;
  return input === " " ? "space" : input;
}
