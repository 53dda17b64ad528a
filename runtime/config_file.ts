/** Settings files: reading, following and editing config/*.yaml (H5). */
import type { z } from "zod";
import { ConfigError } from "../contracts/errors.ts";
import { parseConfigText } from "./config_parse.ts";
import { unreadable } from "./config_watch.ts";
import { displayPath } from "./env.ts";

export { parseConfigText, type Parsed, printConfigPath, printConfigValue } from "./config_parse.ts";
export { watchConfigFile, type WatchOptions } from "./config_watch.ts";
export {
  ConfigChangedError,
  editConfigFile,
  editConfigText,
  type EditOptions,
} from "./config_edit.ts";

/** A file's value and the text it was read from. */
export interface ConfigFile<T> {
  value: T;
  text: string;
}

/**
 * Reads a settings file.
 *
 * @throws {ConfigError} when it is missing, unreadable or wrong; exit 2 where nothing is in force yet.
 */
export async function readConfigFile<T>(
  path: string,
  schema: z.ZodType<T>,
): Promise<ConfigFile<T>> {
  const file = displayPath(path);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw new ConfigError([unreadable(file, error)], { cause: error });
  }
  const parsed = parseConfigText(text, file, schema);
  if (!parsed.ok) throw new ConfigError(parsed.issues);
  return { value: parsed.value, text };
}
