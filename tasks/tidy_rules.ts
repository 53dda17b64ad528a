/**
 * What `deno task tidy` checks, as a pure function over file texts (conventions C20): layers, cycles,
 * file length, exact pins, and bans that each name the replacement.
 */

/** A file of the repository. */
export interface SourceFile {
  /** Relative to the repository root, with `/`. */
  path: string;
  text: string;
}

/** Something that is not tidy. */
export interface Finding {
  path: string;
  /** 1-based. */
  line: number;
  message: string;
}

/** Longest source file, in lines. */
export const FILE_LINES_MAX = 400;

/** Which folders a folder may import, besides itself. `tests` and `tasks` may import everything. */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  compat: [],
  contracts: [],
  iceberg: [],
  rules: ["contracts"],
  broker: ["contracts"],
  runtime: ["contracts"],
  generator: ["contracts", "broker", "runtime"],
  processor: ["contracts", "broker", "runtime", "rules"],
  sink: ["contracts", "broker", "runtime", "iceberg"],
  query: ["contracts", "runtime", "iceberg"],
  audit: ["contracts", "broker", "runtime", "rules", "iceberg"],
  console: ["contracts", "broker", "runtime", "rules", "iceberg"],
};

interface Ban {
  pattern: RegExp;
  replacement: string;
  /** Where the ban holds. */
  where: (path: string) => boolean;
}

const isTest = (path: string): boolean =>
  /_(test|itest|e2e|crash|bench)\.tsx?$|(^|\/)testing\.ts$/.test(path) || path.startsWith("tests/");
const inFolder = (...folders: string[]) => (path: string): boolean =>
  !isTest(path) && folders.includes(path.split("/")[0]!);
const isPure = inFolder("contracts", "rules");

const BANS: readonly Ban[] = [
  {
    pattern: /\bfrom "(npm|jsr):|\bimport\("(npm|jsr):/,
    replacement: "an alias in deno.json, so that a swap is one line",
    where: (path) => !path.startsWith("tasks/tidy"),
  },
  {
    pattern: /\b(Date\.now\(\)|new Date\(\)|Math\.random\(\)|performance\.now\(\))/,
    replacement: "an argument: pure folders have no clock and no randomness (C15)",
    where: isPure,
  },
  {
    pattern: /\bDeno\.(env|readTextFile|writeTextFile|open|Command|serve|connect)\b/,
    replacement: "I/O at the edge (runtime, main.ts, tasks)",
    where: isPure,
  },
  {
    pattern: /\bconsole\.(log|error|warn|info|debug)\(/,
    replacement: "the logger of runtime/log.ts",
    where: inFolder("contracts", "rules", "broker", "iceberg", "generator", "processor", "sink"),
  },
  {
    pattern: /\bDeno\.exit\(/,
    replacement: "Deno.exitCode and a return: Deno.exit leaves the alternate screen on (L4)",
    where: inFolder("console"),
  },
  {
    pattern: /\b(TODO|FIXME|HACK)\b/,
    replacement: "an issue, or the thing itself",
    where: (path) => !path.startsWith("tasks/tidy"),
  },
  {
    pattern: /from "kafkajs/,
    replacement: "broker/port.ts; only broker/kafka*.ts may import kafkajs",
    where: (path) => !path.startsWith("broker/") && !isTest(path) && !path.startsWith("tasks/tidy"),
  },
  {
    // A console.log of one's own machine's folders or of a registry is how they end in a commit.
    pattern: /https?:\/\/[a-z0-9.-]*(npmjs|pypi|repo1?\.maven|registry)[a-z0-9.-]*/i,
    replacement: "the package's name: no registry is named in the repository",
    where: (path) => !path.startsWith("tasks/tidy"),
  },
];

/** Marks a line on which a ban is set aside on purpose, with the reason behind it. */
const ALLOW = "tidy-allow:";

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

function checkBans(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  const bans = BANS.filter((ban) => ban.where(file.path));
  file.text.split("\n").forEach((line, index) => {
    if (line.includes(ALLOW)) return;
    for (const ban of bans) {
      const match = ban.pattern.exec(line);
      if (match === null) continue;
      findings.push({
        path: file.path,
        line: index + 1,
        message: `"${match[0]}" is banned here; use ${ban.replacement}`,
      });
    }
  });
  return findings;
}

function resolve(fromPath: string, specifier: string): string {
  const parts = fromPath.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** Relative imports of a file, resolved, with their places in the text; type-only ones on request. */
export function importsOf(
  file: SourceFile,
  options: { types?: boolean } = {},
): { path: string; index: number }[] {
  const { types = true } = options;
  const pattern = /(import\s+type\s[^"]*?)?(?:\bfrom\s+|\bimport\s*\(?\s*)"(\.{1,2}\/[^"]+)"/g;
  return [...file.text.matchAll(pattern)]
    .filter((match) => types || match[1] === undefined)
    .map((match) => ({ path: resolve(file.path, match[2]!), index: match.index }));
}

function checkLayers(file: SourceFile): Finding[] {
  const folder = file.path.split("/")[0]!;
  const allowed = LAYERS[folder];
  if (allowed === undefined || isTest(file.path)) return [];
  return importsOf(file)
    .filter(({ path }) => path.split("/")[0] !== folder && !allowed.includes(path.split("/")[0]!))
    .map(({ path, index }) => ({
      path: file.path,
      line: lineOf(file.text, index),
      message: `Cannot import "${path}": ${folder} may import ${
        allowed.length === 0 ? "nothing of ours" : allowed.join(", ")
      }`,
    }));
}

function checkLength(file: SourceFile): Finding[] {
  const lines = file.text.split("\n").length - 1;
  if (lines <= FILE_LINES_MAX) return [];
  return [{
    path: file.path,
    line: FILE_LINES_MAX + 1,
    message: `${lines} lines; split by noun at ${FILE_LINES_MAX}`,
  }];
}

/** The first cycle through each node of a graph, as paths `a -> b -> a`. */
function cyclesIn(graph: ReadonlyMap<string, readonly string[]>): { at: string; cycle: string }[] {
  const done = new Set<string>();
  const found: { at: string; cycle: string }[] = [];
  const visit = (node: string, trail: string[]): void => {
    const at = trail.indexOf(node);
    if (at !== -1) {
      found.push({ at: node, cycle: [...trail.slice(at), node].join(" -> ") });
      return;
    }
    if (done.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...trail, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return found;
}

const folderOf = (path: string): string => path.split("/").slice(0, -1).join("/");

/**
 * Cycles of imports between files and between folders. Types alone make no cycle at run time;
 * `mod.ts` gathers what lies below it, and wiring (`main.ts`, tests) may see everything.
 */
function checkCycles(files: readonly SourceFile[]): Finding[] {
  const byFile = new Map<string, string[]>();
  const byFolder = new Map<string, string[]>();
  for (const file of files) {
    const targets = importsOf(file, { types: false }).map((target) => target.path);
    byFile.set(file.path, targets);
    if (isTest(file.path) || /(^|\/)(mod|main)\.ts$/.test(file.path)) continue;
    const folder = folderOf(file.path);
    const others = targets.map(folderOf).filter((other) => other !== folder);
    byFolder.set(folder, [...(byFolder.get(folder) ?? []), ...others]);
  }
  return [
    ...cyclesIn(byFile).map(({ at, cycle }) => ({
      path: at,
      line: 1,
      message: `Import cycle: ${cycle}`,
    })),
    ...cyclesIn(byFolder).map(({ at, cycle }) => ({
      path: at,
      line: 1,
      message: `Cycle between folders: ${cycle}`,
    })),
  ];
}

/** Dependencies that are not pinned to one version. */
export function checkPins(denoJson: string): Finding[] {
  const { imports = {} } = JSON.parse(denoJson) as { imports?: Record<string, string> };
  return Object.entries(imports)
    .filter(([, target]) => /^(npm|jsr):/.test(target))
    .filter(([, target]) => !/@\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?\/?$/.test(target))
    .map(([alias, target]) => ({
      path: "deno.json",
      line: lineOf(denoJson, denoJson.indexOf(`"${alias}"`)),
      message: `Cannot pin "${alias}": "${target}" is not an exact version`,
    }));
}

/** Everything that is not tidy in `files` (TypeScript sources) and `denoJson`. */
export function tidy(files: readonly SourceFile[], denoJson: string): Finding[] {
  return [
    ...files.flatMap((file) => [...checkBans(file), ...checkLayers(file), ...checkLength(file)]),
    ...checkCycles(files),
    ...checkPins(denoJson),
  ];
}
