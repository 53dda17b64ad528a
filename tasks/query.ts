/**
 * `deno task query`: questions to the lakehouse. Exit 0 fine, 1 failed, 2 misuse, 3 unreachable, 130
 * interrupted.
 */
import { EXIT, MisuseError } from "../contracts/errors.ts";
import { checkTogether, colorWish, normalizeWords, parseRequest } from "../query/args.ts";
import { QUERY_FLAGS } from "../query/flags.ts";
import { QUERY_HELP } from "../query/help.ts";
import { type Flags, oneOf } from "../query/question.ts";
import { QuerySession } from "../query/session.ts";
import { type Environment, readEnvironment, resolveCallerPath } from "../runtime/env.ts";
import { readPipelineConfig } from "../runtime/pipeline_config.ts";
import { parseFlags, runTask } from "./cli.ts";

/** The SQL of `--file`. */
async function readSql(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(resolveCallerPath(path));
  } catch (error) {
    throw new MisuseError(`Cannot read "--file ${path}": ${(error as Error).message}`);
  }
}

async function printCompletions(shell: unknown): Promise<number> {
  const { completionScript, SHELLS } = await import("../query/completions.ts");
  console.log(completionScript(oneOf("completions", String(shell), SHELLS)).trimEnd());
  return EXIT.ok;
}

async function openSession(flags: Flags, environment: Environment): Promise<QuerySession> {
  return new QuerySession({
    environment,
    config: await readPipelineConfig(environment),
    color: colorWish(flags),
    pager: flags["pager"] !== false,
  });
}

/** Aborts on Ctrl-C; a second one ends the process as if nobody had listened. */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const onInterrupt = () => {
    if (controller.signal.aborted) Deno.exit(EXIT.interrupted);
    controller.abort();
  };
  Deno.addSignalListener("SIGINT", onInterrupt);
  return controller.signal;
}

await runTask(QUERY_HELP, async (args) => {
  const words = normalizeWords(args);
  const flags = parseFlags(words, QUERY_FLAGS);
  const onTerminal = Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  if (words.length === 0 && !onTerminal) {
    console.error(QUERY_HELP);
    return EXIT.misuse;
  }
  if (flags["completions"] !== undefined) return await printCompletions(flags["completions"]);
  checkTogether(flags);
  const sqlText = flags["file"] === undefined ? undefined : await readSql(String(flags["file"]));
  const request = parseRequest(flags, {
    nowUs: Date.now() * 1000,
    stdoutIsTerminal: Deno.stdout.isTerminal(),
    ...(sqlText === undefined ? {} : { sqlText }),
  });
  const environment = readEnvironment();
  if (words.length === 0 || flags["interactive"] === true) {
    const { runPrompt } = await import("../query/prompt/prompt.ts");
    // Its answers scroll by; a pager and the prompt would both read the keys.
    const session = await openSession({ ...flags, pager: false }, environment);
    const historyPath = `${environment.dataDir}/query_history`;
    return await runPrompt(session, request, { historyPath }).finally(() => session.close());
  }
  const session = await openSession(flags, environment);
  return await session.run(request, interruptSignal()).finally(() => session.close());
});
