/**
 * Where a file is, as the table's metadata spells it. Engines write one and the same place as
 * `/a/b`, `file:/a/b` or `file:///a/b` (Hadoop's Path prints the second), and buckets as `s3://`,
 * `s3a://` or `s3n://`, so locations are compared by `locationKey`, never as strings.
 *
 * Percent signs are literal: Hadoop and Iceberg escape partition values into the file's real name,
 * so decoding one here would name another file (and open a door to an escaped `..`).
 */

import { UnsafeLocationError } from "./port.ts";

/** A location taken apart. `path` starts with `/` and has neither empty, `.` nor `..` segments. */
export interface Location {
  /** Lower case, without the colon; `file` for a bare absolute path, `s3` for s3a and s3n. */
  readonly scheme: string;
  /** The bucket or host; empty for local files. */
  readonly authority: string;
  /** The absolute path, no trailing slash except for the root itself. */
  readonly path: string;
}

const SCHEMES: Readonly<Record<string, string>> = { s3a: "s3", s3n: "s3" };

/**
 * Takes a location apart.
 *
 * @throws {UnsafeLocationError} if it is relative, or has a `.` or `..` segment or a control character
 */
export function parseLocation(location: string): Location {
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(location)) {
    throw new UnsafeLocationError(location, "it has a control character");
  }
  const uri = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/]*))?(\/.*)?$/.exec(location);
  if (uri === null && !location.startsWith("/")) {
    throw new UnsafeLocationError(location, "it is neither an absolute path nor a URI");
  }
  const scheme = uri === null ? "file" : uri[1]!.toLowerCase();
  const rawAuthority = uri?.[2] ?? "";
  const authority = scheme === "file" && rawAuthority === "localhost" ? "" : rawAuthority;
  const segments = (uri === null ? location : uri[3] ?? "/").split("/").filter((s) => s !== "");
  if (segments.some((segment) => segment === "." || segment === "..")) {
    throw new UnsafeLocationError(location, 'it has a "." or ".." segment');
  }
  return { scheme: SCHEMES[scheme] ?? scheme, authority, path: "/" + segments.join("/") };
}

/** One spelling per place: equal keys are the same file, whatever engine wrote the location. */
export function locationKey(location: string): string {
  const { scheme, authority, path } = parseLocation(location);
  return `${scheme}://${authority}${path}`;
}

/** True if `location` is `folder` or lies below it. */
export function isWithin(folder: Location, location: Location): boolean {
  return folder.scheme === location.scheme && folder.authority === location.authority &&
    (folder.path === "/" || folder.path === location.path ||
      location.path.startsWith(folder.path + "/"));
}

/** Joins a folder's location, kept in its own spelling, and a relative name. */
export function joinLocation(folder: string, name: string): string {
  return folder.replace(/\/+$/, "") + "/" + name.replace(/^\/+/, "");
}

/** The last segment of a location. */
export function baseName(location: string): string {
  return location.slice(location.lastIndexOf("/") + 1);
}
