/** Lines of spans as Ink elements. */
import { Box, Text } from "ink";
import { memo, type ReactNode } from "react";
import { clipLine, type Line } from "../text/span.ts";
import { LOOKS } from "./tones.ts";

interface LineProps {
  line: Line;
  width: number;
}

function sameLine(before: LineProps, after: LineProps): boolean {
  return before.width === after.width && before.line.length === after.line.length &&
    before.line.every((span, index) => {
      const other = after.line[index]!;
      return span.text === other.text && span.tone === other.tone;
    });
}

/** One line; a line that did not change is not rendered again. */
const LineView = memo(function LineView({ line, width }: LineProps): ReactNode {
  const spans = clipLine(line, width);
  return (
    // A blank keeps an empty line one row high.
    <Text wrap="truncate">
      {spans.length === 0
        ? " "
        : spans.map(({ text, tone }, index) =>
          tone === "plain" ? text : <Text key={index} {...LOOKS[tone]}>{text}</Text>
        )}
    </Text>
  );
}, sameLine);

/** Exactly `height` lines: what is missing is blank, what is too much is cut. */
export function Lines(
  { lines, width, height }: { lines: readonly Line[]; width: number; height: number },
): ReactNode {
  return (
    <Box flexDirection="column" width={width} height={height} flexShrink={0}>
      {Array.from(
        { length: height },
        (_, index) => <LineView key={index} line={lines[index] ?? []} width={width} />,
      )}
    </Box>
  );
}
