/** Paths as the tasks use them, from Node's library (no dependency needed). */
export { basename, dirname, isAbsolute, join, resolve } from "node:path";
export { fileURLToPath as fromFileUrl } from "node:url";
