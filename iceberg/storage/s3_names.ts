/** Object keys as S3 spells them in addresses and listings. Pure. */

/** Escapes a path for an address: everything but RFC 3986's unreserved characters and the slashes. */
export function encodeKey(path: string): string {
  return path.split("/").map((segment) =>
    encodeURIComponent(segment).replace(
      /[!'()*]/g,
      (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
    )
  ).join("/");
}

/** An object in a listing. */
export interface ListedObject {
  readonly key: string;
  readonly size: number;
  readonly modifiedMs: number;
}

/** A page of a ListObjectsV2 answer asked for with `encoding-type=url`. */
export interface Listing {
  readonly objects: readonly ListedObject[];
  /** Undefined on the last page. */
  readonly nextToken: string | undefined;
}

/** Reads a page of a listing. S3's XML here is flat and fixed, so no parser is needed. */
export function decodeListing(xml: string): Listing {
  const objects = [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, content]) => ({
    key: decodeURIComponent(element(content!, "Key").replaceAll("+", " ")),
    size: Number(element(content!, "Size")),
    modifiedMs: Date.parse(element(content!, "LastModified")) || 0,
  }));
  const isCut = element(xml, "IsTruncated") === "true";
  return { objects, nextToken: isCut ? element(xml, "NextContinuationToken") : undefined };
}

function element(xml: string, name: string): string {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? "";
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}
