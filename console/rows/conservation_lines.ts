/** The conservation line: what came in is either further on or still on its way (H1, H4). Pure. */
import type { Conservation } from "../store/model.ts";
import type { State } from "../store/state.ts";
import { grouped } from "../text/format.ts";
import { type Line, lineOf, lineWidth, span } from "../text/span.ts";
import { symbolsOf } from "./status_marks.ts";

/** `a raw = b processed + c in flight` and `b processed = d stored + e dead-lettered + f in flight`. */
function equations({ raw, processed, dead, inTable, consumed, stored }: Conservation): Line[] {
  // Topics are read side by side: what is stored may be known before its raw record was read.
  const committed = Math.max(0, Math.min(inTable, processed - dead));
  const there = committed - Math.max(0, consumed - stored);
  const ahead = Math.max(0, processed - committed - dead);
  return [
    lineOf(
      `${grouped(raw)} raw = ${grouped(processed)} processed + ${
        grouped(raw - processed)
      } in flight`,
    ),
    lineOf(
      `${grouped(processed)} processed = ${grouped(there)} stored + ${
        grouped(dead)
      } dead-lettered + ${grouped(ahead)} in flight`,
    ),
  ];
}

/** One line or two by the width, and more where something is missing. */
export function conservationLines(state: State): Line[] {
  const counts = state.model.conservation;
  const { ok, bad } = symbolsOf(state.settings.ascii);
  if (counts === undefined) {
    return [lineOf("conservation: counting begins when Kafka answers", "dim")];
  }
  if (counts.paused !== undefined) return [lineOf(`conservation: ${counts.paused}`, "dim")];
  const { missing, surplus, consumed, stored } = counts;
  const wrong = missing + surplus > 0 || consumed !== stored;
  const head: Line = [
    span(wrong ? `${bad} ` : `${ok} `, wrong ? "bad" : "ok"),
    span("since attached: ", "dim"),
  ];
  const [first, second] = equations(counts) as [Line, Line];
  const whole: Line = [...head, ...first, span("   "), ...second];
  const lines: Line[] = lineWidth(whole) <= state.ui.columns
    ? [whole]
    : [[...head, ...first], [span(" ".repeat(lineWidth(head))), ...second]];
  if (missing > 0) {
    lines.push(lineOf(`${bad} ${grouped(missing)} raw records have no output`, "bad"));
  }
  if (surplus > 0) lines.push(lineOf(`${bad} ${grouped(surplus)} outputs too many`, "bad"));
  if (consumed !== stored) {
    const gap = consumed - stored;
    lines.push(
      lineOf(
        gap > 0
          ? `${bad} ${grouped(gap)} committed records are not in finance.transactions`
          : `${bad} ${grouped(-gap)} rows more in finance.transactions than were committed`,
        "bad",
      ),
    );
  }
  return lines;
}
