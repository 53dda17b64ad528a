/** What tones look like: the terminal's own 16 colours, so that its theme holds. */
import type { Tone } from "../text/span.ts";

/** Properties of Ink's Text. */
export interface Look {
  color?: string;
  backgroundColor?: string;
  bold?: boolean;
  dimColor?: boolean;
  inverse?: boolean;
}

/** The looks. Bold, dim and inverse are there without colours too. */
export const LOOKS: Readonly<Record<Tone, Look>> = {
  plain: {},
  dim: { dimColor: true },
  ok: { color: "green" },
  warn: { color: "yellow" },
  bad: { color: "red", bold: true },
  accent: { color: "cyan" },
  title: { bold: true },
  badge: { inverse: true, bold: true },
  selected: { inverse: true },
  added: { color: "green" },
  removed: { color: "red" },
};
