/** The console in a real terminal (tmux), against a real running pipeline. */
import { assertEquals } from "@std/assert";
import { join } from "../../runtime/path.ts";
import { openTerminal, type Terminal } from "../support/terminal.ts";
import { testPipeline } from "./pipeline.ts";

const CONSOLE = "deno task --quiet console";

/** Waits until the program in the terminal has ended; returns its exit code. */
async function exitCode(terminal: Terminal): Promise<number> {
  const text = await terminal.until("it has ended", (screen) => /^EXIT \d+$/m.test(screen), 20);
  return Number(/^EXIT (\d+)$/m.exec(text)![1]);
}

async function assertRestored(terminal: Terminal): Promise<void> {
  assertEquals(await terminal.modes(), { alternate: false, cursor: true });
}

/** Closes the window on top; behind an Esc the terminal needs a moment before the next key. */
async function leaveWindow(terminal: Terminal): Promise<void> {
  await terminal.press("Escape");
  await terminal.until("the window is closed", (text) => text.includes("? help  q quit"));
}

/** What each screen shows and no other one does. */
const MARKS: readonly (readonly [key: string, mark: RegExp])[] = [
  ["2", /severity +rule +account/],
  ["3", /version in force [0-9a-f]{12}/],
  ["4", /raw-transactions +0 /],
  ["5", /finance\.transactions +[\d,]+ rows/],
  ["6", /time↓ +level +component/],
  ["1", /since attached: [\d,]+ raw = [\d,]+ processed/],
];

Deno.test("the console watches and steers a running pipeline", async (t) => {
  const pipeline = await testPipeline();
  let terminal: Terminal | undefined;
  try {
    await t.step("with nothing running it offers to start it, and leaves with q", async () => {
      terminal = await openTerminal({
        columns: 100,
        rows: 30,
        command: CONSOLE,
        env: pipeline.env,
      });
      await terminal.until("nothing runs", (screen) => screen.includes("Press U to start it"), 60);
      assertEquals((await terminal.modes()).alternate, true);
      await terminal.press("q");
      assertEquals(await exitCode(terminal), 0);
      await assertRestored(terminal);
      await terminal.close();
    });

    await pipeline.ok("up", "--native", "--rate", "20");
    const console = terminal = await openTerminal({
      columns: 120,
      rows: 36,
      command: CONSOLE,
      env: pipeline.env,
    });

    await t.step("it finds the pipeline healthy, and nothing missing", async () => {
      const screen = await console.until(
        "it is healthy and counted",
        (text) => text.includes("● healthy") && /since attached: [1-9]/.test(text),
        60,
      );
      assertEquals(screen.includes("have no output"), false, screen);
    });

    await t.step("every screen shows its own", async () => {
      for (const [key, mark] of MARKS) {
        await console.press(key);
        await console.until(`screen ${key} shows ${mark}`, (text) => mark.test(text));
      }
    });

    await t.step("it follows the size of the terminal, down to one line", async () => {
      await console.resize(80, 24);
      const compact = await console.until(
        "it is 80 wide",
        (text) => text.includes("? help  q quit"),
      );
      assertEquals(compact.split("\n").length, 24);
      await console.resize(60, 18);
      await console.until("it is one line", (text) => /^● healthy .*lag /.test(text.trim()));
      await console.resize(120, 36);
      await console.until("it is whole again", (text) => text.includes("newest alerts"));
    });

    await t.step("a rate that is typed is the generator's own, which says so", async () => {
      await console.type(":rate 40");
      await console.press("Enter");
      await console.until(
        "the generator confirms",
        (text) => /rate 40\/s: after \S+ generator runs/.test(text),
      );
      const port = 7071 + Number(pipeline.env.PIPELINE_PORT_OFFSET);
      const status = await (await fetch(`http://127.0.0.1:${port}/status`)).json();
      assertEquals(status.details.rate_per_second, 40);
    });

    await t.step("a rule that is edited raises alerts by its new limit", async () => {
      await console.press("3");
      await console.until("the rule is there", (text) => /> on +high-value/.test(text));
      await console.press("Enter");
      await console.until("the form is open", (text) => text.includes("> parameters.amount"));
      await console.press(..."10000".split("").map(() => "BSpace"), "2", "Enter");
      await console.until(
        "the diff is shown",
        (text) => /\+ +amount: 2 # fires strictly/.test(text),
      );
      await console.press("y");
      await console.until(
        "the processor took it",
        (text) => text.includes("● in force  high-value"),
      );
      await console.press("1");
      await console.until(
        "an alert names the new limit",
        (text) => /high-value +Account \S+ moved .* limit of 2\.00/.test(text),
      );
      const text = await Deno.readTextFile(join(pipeline.configDir, "alerting-rules.yaml"));
      assertEquals(text.includes("amount: 2 # fires strictly above"), true);
    });

    await t.step("u proposes the rules before, and they are in force again", async () => {
      await console.press("3", "u");
      await console.until(
        "the diff goes back",
        (text) => /- +amount: 2 #/.test(text) && /\+ +amount: 10000 #/.test(text),
      );
      await console.press("y");
      await console.until(
        "the processor took them",
        (text) => text.includes("● in force  revert to the version before"),
      );
    });

    await t.step("table care says what it would do, and asks for the table's name", async () => {
      await console.press("5");
      await console.until("the tables are there", (text) => /> transactions +[\d.k]+ /.test(text));
      await console.press("c");
      await console.until(
        "it asks",
        (text) => text.includes("would be:") && text.includes("type transactions to go on"),
      );
      await console.type("transactions");
      await console.press("Enter");
      await console.until(
        "it is done",
        (text) => /deno task compact --table transactions +done/.test(text),
      );
      await leaveWindow(console);
    });

    await t.step("a restart wants the name of the stage", async () => {
      await console.type(":restart generator");
      await console.press("Enter", "x", "Enter");
      await console.until("another name does not do", (text) => text.includes("Esc to leave it"));
      await console.press("BSpace");
      await console.type("generator");
      await console.press("Enter");
      await console.until("it is back", (text) => text.includes("generator is ready"));
      await leaveWindow(console);
      await console.press("1");
    });

    await t.step("a stage that dies is shown, and its return too", async () => {
      const { services } = await pipeline.status();
      Deno.kill(services.find(({ name }) => name === "generator")!.pid!, "SIGKILL");
      await console.until(
        "it is named",
        (text) => /generator (backoff|starting|not ready|stopped)/.test(text),
      );
      await console.until("it is back", (text) => text.includes("● healthy"), 60);
    });

    await t.step("by address, in ASCII, it shows the same and changes nothing", async () => {
      const other = await openTerminal({
        columns: 80,
        rows: 24,
        command: `${CONSOLE} --at 127.0.0.1 --ascii`,
        env: { ...pipeline.env, PIPELINE_DATA_DIR: join(pipeline.dir, "elsewhere") },
      });
      try {
        const text = await other.until(
          "it is attached and counts",
          (screen) => screen.includes("* healthy") && /since attached: [1-9]/.test(screen),
          60,
        );
        assertEquals(text.includes(" READ ONLY "), true, text);
        // deno-lint-ignore no-control-regex -- the question is which characters there are
        assertEquals(text.replace(/[\u0000-\u007f]/g, ""), "");
        await other.press("+");
        await other.until("it is refused", (screen) => screen.includes("(attached by address)"));
        await other.press("q");
        assertEquals(await exitCode(other), 0);
      } finally {
        await other.close();
      }
    });

    await t.step("a purge wants its name typed, and what is gone is shown as gone", async () => {
      await console.type(":purge");
      await console.press("Enter");
      await console.until("it asks", (text) => text.includes("deletes all of its data"));
      await console.type("purge");
      await console.press("Enter");
      await console.until("it is done", (text) => text.includes("Removed "));
      await leaveWindow(console);
      await console.until("nothing runs", (text) => text.includes("nothing runs here for"));
    });

    await t.step("q gives the terminal back", async () => {
      await console.press("q");
      assertEquals(await exitCode(console), 0);
      await assertRestored(console);
    });
  } finally {
    await terminal?.close();
    await pipeline.dispose();
  }
});

Deno.test("read-only refuses to steer, and says so", async () => {
  const pipeline = await testPipeline();
  const terminal = await openTerminal({
    columns: 100,
    rows: 30,
    command: `${CONSOLE} --read-only`,
    env: pipeline.env,
  });
  try {
    await terminal.until("the badge is there", (text) => text.includes("READ ONLY"), 60);
    await terminal.press("+");
    await terminal.until("it is refused", (text) => text.includes("is refused"));
    await terminal.press("q");
    assertEquals(await exitCode(terminal), 0);
  } finally {
    await terminal.close();
    await pipeline.dispose();
  }
});

for (
  const [how, code] of [["throw", 1], ["reject", 1], ["SIGTERM", 130], ["SIGHUP", 130]] as const
) {
  Deno.test(`the terminal is given back after ${how}`, async () => {
    const terminal = await openTerminal({
      columns: 100,
      rows: 30,
      command: `deno run -A tests/e2e/console_crash_program.ts ${how}`,
      env: {},
    });
    try {
      await terminal.until("the screen is up", (text) => text.includes("PIPELINE"), 60);
      if (how.startsWith("SIG")) {
        const pid = await terminal.pid();
        const { stdout } = await new Deno.Command("pgrep", { args: ["-P", String(pid)] }).output();
        Deno.kill(Number(new TextDecoder().decode(stdout).trim()), how as "SIGTERM" | "SIGHUP");
      }
      assertEquals(await exitCode(terminal), code);
      await assertRestored(terminal);
    } finally {
      await terminal.close();
    }
  });
}
