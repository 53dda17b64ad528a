/** What is said about a plan: --stats, --explain, and the snapshot that a time chose. */
import type { PlannedTable } from "./plan.ts";
import type { QueryRequest } from "./question.ts";

/** Reasons are shown for so many different ones. */
const REASONS_MAX = 3;

function bytesText(bytes: bigint): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let value = Number(bytes);
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** One line on what is read, and one per kind of reason on what is not. */
export function describePlan({ name, plan, bytes, older }: PlannedTable): string[] {
  const skippedFiles = plan.skipped.reduce((sum, one) => sum + Math.max(0, one.files), 0) + older;
  const { total, read } = plan.manifests;
  const lines = [
    `${name}: snapshot ${plan.snapshot?.["snapshot-id"] ?? "none"}, ` +
    `${plan.files.length - older} files (${bytesText(bytes)}) to read, ${skippedFiles} skipped; ` +
    `${read} of ${total} manifests read`,
  ];
  if (older > 0) lines.push(`  ${older} files: enough newer rows lie in others`);
  const reasons = Map.groupBy(plan.skipped, (one) => one.reason.replace(/ excludes .*/, ""));
  const counted = [...reasons].map(([reason, ones]) => ({
    reason,
    files: ones.reduce((sum, one) => sum + Math.max(0, one.files), 0),
  })).sort((a, b) => b.files - a.files);
  for (const { reason, files } of counted.slice(0, REASONS_MAX)) {
    lines.push(`  ${files} files: ${reason}`);
  }
  return lines;
}

/** Which state a time chose; other choices name it themselves. */
export function snapshotNotes(
  request: QueryRequest,
  tables: readonly PlannedTable[],
): string[] {
  if (request.question.snapshot.kind !== "timestamp") return [];
  return tables.flatMap(({ name, plan }) => {
    if (plan.snapshot === undefined) return [];
    const at = new Date(plan.snapshot["timestamp-ms"]).toISOString();
    return [`${name} as of ${at}: snapshot ${plan.snapshot["snapshot-id"]}`];
  });
}
