/** The conservation line: what came in is either further on or still on its way (H1, H4). Pure. */
import type { State } from "../store/state.ts";
import { grouped } from "../text/format.ts";
import { type Line, lineOf, span } from "../text/span.ts";
import { symbolsOf } from "./status_marks.ts";

/** One line, or more where something is missing. */
export function conservationLines(state: State): Line[] {
  const counts = state.model.conservation;
  const { ok, bad } = symbolsOf(state.settings.ascii);
  if (counts === undefined) {
    return [lineOf("conservation: counting begins when Kafka answers", "dim")];
  }
  if (counts.paused !== undefined) return [lineOf(`conservation: ${counts.paused}`, "dim")];
  const { raw, processed, missing, surplus, consumed, stored } = counts;
  const wrong = missing + surplus > 0 || consumed !== stored;
  const lines: Line[] = [[
    span(wrong ? `${bad} ` : `${ok} `, wrong ? "bad" : "ok"),
    span("since attached: ", "dim"),
    span(
      `${grouped(raw)} raw = ${grouped(processed)} processed + ${
        grouped(raw - processed)
      } in flight`,
    ),
    span("   ", "dim"),
    span(`${grouped(consumed)} committed = ${grouped(stored)} stored`),
  ]];
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
