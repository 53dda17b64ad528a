/** Programs that suites need beside Deno: Java and Maven, Python with venv, tmux. */
import { aptInstall, canInstall } from "../native/preflight.ts";

interface Tool {
  /** Exits with 0 where the tool is there. */
  probe: readonly string[];
  /** Debian packages that bring it. */
  packages: readonly string[];
  /** Which suites fail without it. */
  neededBy: string;
}

const TOOLS: readonly Tool[] = [
  {
    probe: ["java", "-version"],
    packages: ["openjdk-17-jre-headless"],
    neededBy: "suites on a real Kafka and catalog",
  },
  { probe: ["mvn", "-v"], packages: ["maven"], neededBy: "suites on a real Kafka and catalog" },
  {
    probe: ["python3", "-c", "import venv, ensurepip"],
    packages: ["python3", "python3-venv"],
    neededBy: "suites that read our tables with PyIceberg",
  },
  { probe: ["tmux", "-V"], packages: ["tmux"], neededBy: "suites that drive a terminal" },
];

/** Installs what is missing where it may, and otherwise says what to run. */
export async function ensureTools(): Promise<void> {
  const missing: Tool[] = [];
  for (const tool of TOOLS) if (!await works(tool.probe)) missing.push(tool);
  if (missing.length === 0) return;
  const packages = missing.flatMap((tool) => tool.packages);
  if (await canInstall()) {
    console.log(`Installing ${packages.join(" ")} with apt-get`);
    await aptInstall(packages);
    return;
  }
  for (const tool of missing) console.log(`Missing: ${tool.probe[0]}, for ${tool.neededBy}`);
  console.log(`Debian, Ubuntu: sudo apt-get install -y ${packages.join(" ")}`);
}

async function works([program = "", ...args]: readonly string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args, stdin: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
