/** Which suite runs in which phase, from file names alone. Pure. */

/** Phases in the order they run. */
export const PHASES = ["unit", "integration", "e2e", "crash"] as const;

/** One of {@linkcode PHASES}. */
export type Phase = typeof PHASES[number];

const PATTERNS: Readonly<Record<Phase, RegExp>> = {
  unit: /_test\.tsx?$/,
  integration: /_itest\.tsx?$/,
  e2e: /^tests\/e2e\/.*_e2e\.ts$/,
  crash: /^tests\/crash\/.*_crash\.ts$/,
};

/** The phase that a file belongs to; undefined for a file that is no suite. */
export function phaseOf(path: string): Phase | undefined {
  return PHASES.find((phase) => PATTERNS[phase].test(path));
}

/** Suites by phase, each list sorted; `filters` keeps the paths that contain one of them. */
export function suitesByPhase(
  paths: readonly string[],
  filters: readonly string[] = [],
): Record<Phase, string[]> {
  const suites: Record<Phase, string[]> = { unit: [], integration: [], e2e: [], crash: [] };
  for (const path of [...paths].sort()) {
    const phase = phaseOf(path);
    const wanted = filters.length === 0 || filters.some((filter) => path.includes(filter));
    if (phase !== undefined && wanted) suites[phase].push(path);
  }
  return suites;
}
