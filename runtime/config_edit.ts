/** Changes one value of a settings file as a person would: comments, order and line ends stay. */
import { isScalar, parseDocument, stringify } from "@std/yaml";
import { ConfigError, type ConfigIssue } from "../contracts/errors.ts";
import { dirname, join } from "./path.ts";

/** The file was changed by somebody else in the meantime. */
export class ConfigChangedError extends Error {
  override readonly name = "ConfigChangedError";
}

/**
 * `text` with `value` at `path`. A scalar that is there is replaced in place, byte by byte around it;
 * something new is added by the YAML printer, which may change blanks but no comment.
 *
 * @throws {SyntaxError} when `text` is not YAML or the path leads through a value.
 */
export function editConfigText(text: string, path: readonly (string | number)[], value: unknown) {
  const doc = parseDocument(text, { prettyErrors: false });
  if (doc.errors.length > 0) {
    throw new SyntaxError(
      `Cannot edit "${path.join(".")}": the file is not valid YAML: ${doc.errors[0]!.message}`,
    );
  }
  const node = doc.getIn(path, true);
  const flat = value === null || typeof value !== "object";
  if (isScalar(node) && node.range && flat && node.type !== "BLOCK_LITERAL") {
    const printed = stringify(value, { lineWidth: 0 }).trimEnd();
    const edited = text.slice(0, node.range[0]) + printed + text.slice(node.range[1]);
    const read = parseDocument(edited, { prettyErrors: false });
    if (read.errors.length === 0 && Object.is(read.getIn(path), value)) return edited;
  }
  try {
    doc.setIn(path, value);
  } catch (error) {
    throw new SyntaxError(`Cannot edit "${path.join(".")}": ${(error as Error).message}`, {
      cause: error,
    });
  }
  const printed = doc.toString({ lineWidth: 0 });
  return text.includes("\r\n") ? printed.replaceAll(/\r?\n/g, "\r\n") : printed;
}

/** Options of {@linkcode editConfigFile}. */
export interface EditOptions {
  /** From the text of now to the text wanted. */
  edit: (text: string) => string;
  /** Issues of the new text; any refuses the edit. */
  validate?: (text: string) => ConfigIssue[];
  /** What the caller showed its user; another text on disk refuses the edit. */
  expectText?: string;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await Deno.open(path, { read: true });
  try {
    await folder.syncData();
  } catch {
    // Some file systems cannot sync a folder; the rename is still atomic there.
  } finally {
    folder.close();
  }
}

/**
 * Edits a file atomically: a temp file beside it is written, synced and renamed over it, so that a
 * reader sees the old or the new text and nothing between. Returns the new text.
 *
 * @throws {ConfigChangedError} when the file is not what it was when the edit began.
 * @throws {ConfigError} when `validate` finds issues; nothing is written.
 */
export async function editConfigFile(path: string, options: EditOptions): Promise<string> {
  const { edit, validate, expectText } = options;
  // A link stays a link: its target is what gets replaced.
  const target = await Deno.realPath(path);
  const before = await Deno.readTextFile(target);
  function refuseChanged(now: string, expected: string): void {
    if (now !== expected) {
      throw new ConfigChangedError(`Cannot edit "${path}": it was changed by somebody else`);
    }
  }
  if (expectText !== undefined) refuseChanged(before, expectText);
  const after = edit(before);
  const issues = validate?.(after) ?? [];
  if (issues.length > 0) throw new ConfigError(issues);
  if (after === before) return after;
  const temp = join(dirname(target), `.${crypto.randomUUID()}.tmp`);
  try {
    const { mode } = await Deno.stat(target);
    const file = await Deno.open(temp, {
      write: true,
      createNew: true,
      ...(mode === null ? {} : { mode: mode & 0o777 }),
    });
    try {
      const bytes = new TextEncoder().encode(after);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
    } finally {
      file.close();
    }
    refuseChanged(await Deno.readTextFile(target), before);
    await Deno.rename(temp, target);
  } catch (error) {
    await Deno.remove(temp).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(target));
  return after;
}
