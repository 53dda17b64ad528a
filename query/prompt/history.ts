/** What was asked before, kept in the data folder: for the arrow keys of the next prompt. */

/** Entries that are kept. */
export const HISTORY_MAX = 500;

/** Newest first, as readline takes them; none where nothing was kept. */
export async function readHistory(path: string): Promise<string[]> {
  try {
    return (await Deno.readTextFile(path)).split("\n").filter((line) => line !== "");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) return [];
    throw error;
  }
}

/** Writes the newest entries. Queries name accounts, so only the owner may read them. */
export async function writeHistory(path: string, lines: readonly string[]): Promise<void> {
  const kept = lines.slice(0, HISTORY_MAX).map((line) => line.replaceAll("\n", " "));
  try {
    await Deno.writeTextFile(path, kept.join("\n") + "\n", { mode: 0o600 });
  } catch (error) {
    // Without a data folder (the pipeline never ran here) there is no place for it, which is no reason to fail.
    const noPlace = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied;
    if (!noPlace) throw error;
  }
}
