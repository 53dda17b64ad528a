/** The path functions in use, on Node's own: JSR's `@std/path` cannot be reached where this is built. */
import { fileURLToPath } from "node:url";
export { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";

/** File path of a `file:` URL. */
export function fromFileUrl(url: string | URL): string {
  return fileURLToPath(url);
}
