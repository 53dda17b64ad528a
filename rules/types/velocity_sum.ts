/** Summing amounts in a sliding window of event time, in panes of a sixtieth of the window. */
import { printTimestamp } from "../../contracts/timestamps.ts";
import { amountUnits, printUnits } from "../values/amount.ts";
import type { RuleLogic } from "../rule_type.ts";

/** Panes in one window. */
export const PANES = 60;

/** Sums are kept as whole units and ten-thousandths apart: their total leaves 2^53 too soon. */
const SCALE = 10_000;

/**
 * The logic of a sum rule: fires when some 60 consecutive panes that contain the transaction's own
 * hold at least the limit. A cell is a bucket of one window's width: 60 pairs (whole, fraction).
 */
export function sumLogic(
  parameters: {
    at_least: number;
    window_seconds: number;
    only: { currencies?: string[] | undefined };
  },
): RuleLogic {
  const limitUnits = amountUnits(parameters.at_least);
  const limitWhole = Math.floor(limitUnits / SCALE);
  const limitFraction = limitUnits % SCALE;
  const window = parameters.window_seconds * 1_000_000;
  const currency = parameters.only.currencies![0]!;
  // Panes of the buckets before, of and after the transaction.
  const whole = new Float64Array(3 * PANES);
  const fraction = new Float64Array(3 * PANES);
  let bucket = 0;
  let bestStart = 0;
  let bestWhole = 0;
  let bestFraction = 0;

  const load = (words: Float64Array, base: number, at: number) => {
    for (let i = 0; i < PANES; i++) {
      whole[at + i] = base < 0 ? 0 : words[base + 2 * i]!;
      fraction[at + i] = base < 0 ? 0 : words[base + 2 * i + 1]!;
    }
  };

  /** Slides 60 panes over all places that contain pane `own`; keeps the largest sum. */
  const search = (own: number) => {
    let sumWhole = 0, sumFraction = 0;
    for (let i = own - PANES + 1; i <= own; i++) {
      sumWhole += whole[i]!;
      sumFraction += fraction[i]!;
    }
    for (let start = own - PANES + 1; start <= own; start++) {
      const carry = Math.floor(sumFraction / SCALE);
      const w = sumWhole + carry, f = sumFraction - carry * SCALE;
      const first = start === own - PANES + 1;
      if (first || w > bestWhole || (w === bestWhole && f > bestFraction)) {
        bestStart = start;
        bestWhole = w;
        bestFraction = f;
      }
      sumWhole += whole[start + PANES]! - whole[start]!;
      sumFraction += fraction[start + PANES]! - fraction[start]!;
    }
  };

  return {
    cellWords: 2 * PANES,
    judge(facts, cells) {
      bucket = Math.floor(facts.timestampUs / window);
      const pane = Math.floor((facts.timestampUs - bucket * window) * PANES / window);
      const base = cells!.touch(facts, bucket);
      const words = cells!.words;
      const ownWhole = Math.trunc(facts.amountUnits / SCALE);
      words[base + 2 * pane]! += ownWhole;
      words[base + 2 * pane + 1]! += facts.amountUnits - ownWhole * SCALE;
      load(words, cells!.find(bucket - 1), 0);
      load(words, base, PANES);
      load(words, cells!.find(bucket + 1), 2 * PANES);
      search(PANES + pane);
      return bestWhole > limitWhole || (bestWhole === limitWhole && bestFraction >= limitFraction);
    },
    explain(_facts, context) {
      const from = (bucket - 1) * window + Math.ceil(bestStart * window / PANES);
      const sum = printUnits(bestWhole * SCALE + bestFraction);
      return {
        description:
          `Account ${context.accountId} moved ${sum} ${currency} within ${parameters.window_seconds} s (limit: ${
            printUnits(limitUnits)
          } ${currency})`,
        evidence: {
          measure: "sum",
          sum: bestWhole + bestFraction / SCALE,
          currency,
          at_least: parameters.at_least,
          window_seconds: parameters.window_seconds,
          from: printTimestamp(from),
          to: printTimestamp(from + window),
        },
      };
    },
  };
}
