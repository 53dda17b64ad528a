/** `deno task ok`: the gate before a commit - format, lint, types, tidy, tests. Stops at the first no. */
const STEPS: readonly [string, string[]][] = [
  ["format", ["fmt", "--check", "--quiet"]],
  ["lint", ["lint", "--quiet"]],
  ["types", ["check", "--quiet", "."]],
  ["tidy", ["task", "--quiet", "tidy"]],
  ["tests", ["task", "--quiet", "test"]],
];

for (const [name, args] of STEPS) {
  const started = performance.now();
  const { code } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn().status;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.error(`${code === 0 ? "ok  " : "FAIL"} ${name} (${seconds} s)`);
  if (code !== 0) Deno.exit(1);
}
