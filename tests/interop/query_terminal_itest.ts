/** `deno task query` on a terminal: pager, width, and the prompt with completion, history and Ctrl-C. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { restCatalog } from "../../iceberg/catalog/rest.ts";
import { openTestLakehouse, sampleTransactions } from "../../query/testing.ts";
import { runPython } from "../support/python.ts";
import { startServices } from "../support/services.ts";

/** Runs a program on a terminal of its own; each step waits for a text and then types. */
const TERMINAL = `
import fcntl, json, os, pty, select, struct, sys, termios, time
columns, rows, steps, environment, program = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(environment)
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.execvp(program[0], program)
seen, mark, deadline, problem = b"", 0, time.time() + 120, None
def pump():
    global seen
    if select.select([terminal], [], [], 0.2)[0]:
        try: data = os.read(terminal, 65536)
        except OSError: return False
        if not data: return False
        seen += data
    return time.time() < deadline
alive = True
for wanted, keys in steps:
    while alive and seen.find(wanted.encode(), mark) < 0: alive = pump()
    at = seen.find(wanted.encode(), mark)
    if at < 0:
        problem = "nothing showed " + repr(wanted)
        os.kill(pid, 9)
        break
    mark = at + len(wanted)
    os.write(terminal, keys.encode())
while alive: alive = pump()
if time.time() >= deadline: os.kill(pid, 9)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(json.dumps({"code": code, "problem": problem, "screen": seen.decode(errors="replace")}))
`;

interface Session {
  code: number;
  problem: string | null;
  screen: string;
}

type Steps = readonly (readonly [waitFor: string, type: string])[];

async function withTerminal(
  work: (run: (steps: Steps, ...args: string[]) => Promise<Session>) => Promise<void>,
): Promise<void> {
  const services = await startServices({ kafka: false, fresh: true });
  const { catalog: uri, warehouse, dir } = services;
  const lakehouse = await openTestLakehouse({ catalog: restCatalog({ uri }), warehouse });
  const data = `${dir}/data`;
  await Deno.mkdir(data);
  const env = {
    PIPELINE_CATALOG_URI: uri,
    PIPELINE_CATALOG_WAREHOUSE: warehouse,
    PIPELINE_DATA_DIR: data,
    // Part of every Linux, which less is not.
    PAGER: "more",
    NO_COLOR: "1",
    TERM: "xterm",
  };
  try {
    await lakehouse.append(
      "transactions",
      sampleTransactions({
        first: 0,
        count: 3000,
        start: "2026-03-01T00:00:00Z",
        stepSeconds: 60,
        accounts: 20,
      }),
    );
    await work(async (steps, ...args) => {
      const program = [Deno.execPath(), "task", "--quiet", "query", ...args];
      const asked = JSON.stringify([80, 12, steps, env, program]);
      return JSON.parse(await runPython(TERMINAL, [asked])) as Session;
    });
  } finally {
    await lakehouse.close();
    await services.stop();
  }
}

Deno.test("a long table goes through the pager, and what is said about it comes after", async () => {
  await withTerminal(async (run) => {
    const paged = await run([["--More--", "q"]], "--columns", "timestamp,amount");
    assertEquals([paged.code, paged.problem], [0, null], paged.screen);
    assertStringIncludes(
      paged.screen.split("--More--").at(-1)!,
      "Only the first 50 rows are shown",
    );
    const plain = await run([], "--columns", "timestamp,amount", "--no-pager");
    assertEquals(plain.code, 0);
    assertEquals(plain.screen.match(/2026-03-\d\dT/g)!.length, 50);
    const narrow = await run([], "--limit", "1", "--no-pager");
    assertStringIncludes(narrow.screen, "── 1 ──");
    assert(narrow.screen.split("\r\n").every((line) => line.length <= 80), narrow.screen);
    const binary = await run([], "--format", "parquet");
    assertEquals(binary.code, 2);
  });
});

Deno.test("the prompt answers, completes, remembers, forgives errors and survives Ctrl-C", async () => {
  await withTerminal(async (run) => {
    const endless = "SELECT count(*) FROM transactions a, transactions b, transactions c " +
      "WHERE a.amount + b.amount > c.amount;";
    const first = await run([
      ["finance> ", "select 40 + 2 as n from tran"],
      ["tran", "\t"],
      ["sactions", " where is_fl"],
      ["is_fl", "\t"],
      ["agged", "\r"],
      ["-> ", "limit 1;\r"],
      ["42", "selec;\r"],
      ["syntax error", endless + "\r"],
      ["c.amount;", ""],
      ["\n", "\x03"],
      ["Interrupted", ""],
      // Enter and Ctrl-C in one breath stop it too, and the lines pasted behind it are dropped.
      ["finance> ", endless + "\r\x03"],
      ["Interrupted", "half a quest"],
      ["half a quest", "\x03"],
      ["finance> ", ".formt\r"],
      ["did you mean .format?", ".format csv\r"],
      ["finance> ", "select 'a' as x, 1 as y;\r"],
      ["x,y", ".quit\r"],
    ]);
    assertEquals([first.code, first.problem], [0, null], first.screen);
    const second = await run([
      ["finance> ", "\x1b[A\x1b[A"],
      ["select 'a' as x", "\r"],
      ["finance> ", "\x04"],
    ], "--interactive");
    assertEquals([second.code, second.problem], [0, null], second.screen);
  });
});
