/**
 * Files in an S3-compatible store: requests signed by signature v4, whole and exclusive creation by
 * `If-None-Match: *` (Amazon S3 since 2024, MinIO, R2, Ceph). There is no `localPath`: such files are not this machine's.
 */

import { AwsV4Signer } from "aws4fetch";
import { isWithin, joinLocation, type Location, parseLocation } from "./location.ts";
import {
  FileExistsError,
  type FileInfo,
  NoSuchFileError,
  type ReadRange,
  type Storage,
  StorageError,
  UnsafeLocationError,
} from "./port.ts";
import { decodeListing, encodeKey } from "./s3_names.ts";

/** How to reach the store. */
export interface S3StorageOptions {
  /** Locations that may be touched, e.g. `s3://bucket/warehouse`. */
  readonly roots: readonly string[];
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** @default {"us-east-1"} */
  readonly region?: string;
  /** Address of a compatible store; buckets are then named in the path. @default {Amazon's, bucket in the host} */
  readonly endpoint?: string;
  /** Tries after the first, for answers that may pass (5xx, 429, lost connections). @default {3} */
  readonly retriesMax?: number;
  /** Wait before the first retry, doubling, half of it random; milliseconds. @default {100} */
  readonly waitMinMs?: number;
  /** Milliseconds for one request, to the last byte of the answer. @default {60000} */
  readonly timeoutMs?: number;
  /** @default {globalThis.fetch} */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since the epoch; dates the signatures. @default {Date.now} */
  readonly nowMs?: () => number;
  /** @default {Math.random} */
  readonly random?: () => number;
  /** @default {a timer} */
  readonly sleep?: (ms: number) => Promise<void>;
}

interface Call {
  readonly action: string;
  readonly location: string;
  readonly method: "GET" | "HEAD" | "PUT" | "DELETE";
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** Statuses that are answers, not failures, besides 2xx. */
  readonly expected?: readonly number[];
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  /** An earlier try had no usable answer, so it may have taken effect. */
  readonly repeated: boolean;
}

/** A `Storage` over an S3-compatible store. */
export function s3Storage(options: S3StorageOptions): Storage {
  const roots = options.roots.map((root) => parseLocation(root));
  const client = new S3Client(options);

  function checked(location: string): Location {
    const parsed = parseLocation(location);
    if (roots.some((root) => isWithin(root, parsed))) return parsed;
    throw new UnsafeLocationError(location, `it is outside of ${options.roots.join(", ")}`);
  }

  return {
    read: async (location, range = {}) => {
      const url = client.url(checked(location));
      return await readObject(client, { location, url, range });
    },
    create: async (location, bytes) => {
      const url = client.url(checked(location));
      await createObject(client, { location, url, bytes });
    },
    stat: async (location) => {
      const url = client.url(checked(location));
      return await statObject(client, { location, url });
    },
    remove: async (location) => {
      const url = client.url(checked(location));
      const expected = [404];
      await client.send({ action: "remove", location, method: "DELETE", url, expected });
    },
    list: async function* (folder) {
      yield* listObjects(client, folder, checked(folder));
    },
  };
}

async function readObject(
  client: S3Client,
  { location, url, range }: { location: string; url: string; range: ReadRange },
): Promise<Uint8Array> {
  const { offset = 0, length } = range;
  // S3 has no empty range.
  if (length === 0) {
    if (await statObject(client, { location, url }) === undefined) {
      throw new NoSuchFileError(location);
    }
    return new Uint8Array();
  }
  const whole = offset === 0 && length === undefined;
  const last = length === undefined ? "" : String(offset + length - 1);
  const answer = await client.send({
    action: "read",
    location,
    method: "GET",
    url,
    expected: [404, 416],
    ...(whole ? {} : { headers: { range: `bytes=${offset}-${last}` } }),
  });
  if (answer.status === 404) throw new NoSuchFileError(location);
  // The range begins at or behind the end.
  if (answer.status === 416) return new Uint8Array();
  // A store may ignore the range and send everything.
  if (answer.status === 200 && !whole) {
    return answer.bytes.slice(offset, length === undefined ? undefined : offset + length);
  }
  return answer.bytes;
}

async function createObject(
  client: S3Client,
  { location, url, bytes }: { location: string; url: string; bytes: Uint8Array },
): Promise<void> {
  const body = new Uint8Array(bytes);
  const answer = await client.send({
    action: "create",
    location,
    method: "PUT",
    url,
    body,
    headers: { "if-none-match": "*" },
    expected: [412],
  });
  if (answer.status !== 412) return;
  // After a lost answer the name may be taken by our own first try: then the content is ours.
  if (answer.repeated && equalBytes(await readObject(client, { location, url, range: {} }), body)) {
    return;
  }
  throw new FileExistsError(location);
}

async function statObject(
  client: S3Client,
  { location, url }: { location: string; url: string },
): Promise<FileInfo | undefined> {
  const call = { action: "stat", location, method: "HEAD" as const, url, expected: [404] };
  const { status, headers } = await client.send(call);
  if (status === 404) return undefined;
  return {
    location,
    size: Number(headers.get("content-length") ?? 0),
    modifiedMs: Date.parse(headers.get("last-modified") ?? "") || 0,
  };
}

async function* listObjects(
  client: S3Client,
  folder: string,
  parsed: Location,
): AsyncGenerator<FileInfo> {
  const prefix = parsed.path === "/" ? "" : parsed.path.slice(1) + "/";
  let token: string | undefined;
  do {
    const query = new URLSearchParams({
      "list-type": "2",
      "encoding-type": "url",
      prefix,
      ...(token === undefined ? {} : { "continuation-token": token }),
    });
    const url = `${client.url({ ...parsed, path: "/" })}?${query}`;
    const answer = await client.send({ action: "list", location: folder, method: "GET", url });
    const page = decodeListing(new TextDecoder().decode(answer.bytes));
    for (const { key, size, modifiedMs } of page.objects) {
      // Consoles make empty objects for folders.
      if (key.endsWith("/")) continue;
      yield { location: joinLocation(folder, key.slice(prefix.length)), size, modifiedMs };
    }
    token = page.nextToken;
  } while (token !== undefined);
}

class S3Client {
  readonly #options: S3StorageOptions;
  readonly #keys = new Map<string, ArrayBuffer>();

  constructor(options: S3StorageOptions) {
    this.#options = options;
  }

  /** The address of an object, or of the bucket for the path `/`. */
  url({ authority, path }: Location): string {
    const { endpoint, region = "us-east-1" } = this.#options;
    const key = encodeKey(path);
    if (endpoint !== undefined) return `${endpoint.replace(/\/+$/, "")}/${authority}${key}`;
    return `https://${authority}.s3.${region}.amazonaws.com${key}`;
  }

  /** Sends a request until it has an answer that means something. @throws {StorageError} if there is none */
  async send(call: Call): Promise<Answer> {
    const { retriesMax = 3 } = this.#options;
    let repeated = false;
    for (let attempt = 0;; attempt++) {
      if (attempt > 0) await this.#wait(attempt);
      let problem: string;
      let cause: unknown;
      try {
        const answer = await this.#exchange(call);
        const { status } = answer;
        if (status < 300 || call.expected?.includes(status)) return { ...answer, repeated };
        problem = `the store answered ${status}${reasonOf(answer.bytes)}`;
        // 409: another conditional request for this key is under way.
        const passes = status >= 500 || status === 429 || status === 409 || status === 408;
        if (!passes) throw new StorageError(call.action, call.location, problem);
        repeated ||= status >= 500 || status === 408;
      } catch (error) {
        if (error instanceof StorageError) throw error;
        problem = (error as Error).message;
        cause = error;
        repeated = true;
      }
      if (attempt >= retriesMax) {
        throw new StorageError(call.action, call.location, problem, {
          cause,
          outcomeUnknown: repeated && (call.method === "PUT" || call.method === "DELETE"),
        });
      }
    }
  }

  async #exchange(call: Call): Promise<Omit<Answer, "repeated">> {
    const { fetch = globalThis.fetch, timeoutMs = 60_000 } = this.#options;
    const { url, headers } = await this.#sign(call);
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), timeoutMs);
    try {
      const response = await fetch(url, {
        method: call.method,
        headers,
        redirect: "manual",
        signal: controller.signal,
        ...(call.body === undefined ? {} : { body: call.body }),
      });
      const bytes = new Uint8Array(await response.arrayBuffer());
      return { status: response.status, headers: response.headers, bytes };
    } finally {
      clearTimeout(timer);
    }
  }

  async #sign(call: Call): Promise<{ url: string; headers: Headers }> {
    const { accessKeyId, secretAccessKey, sessionToken, region = "us-east-1" } = this.#options;
    const nowMs = (this.#options.nowMs ?? Date.now)();
    const signed = await new AwsV4Signer({
      method: call.method,
      url: call.url,
      headers: {
        ...call.headers,
        // Signed, so the store refuses a body that changed on its way.
        "x-amz-content-sha256": await sha256Hex(call.body ?? new Uint8Array()),
      },
      body: null,
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      service: "s3",
      region,
      cache: this.#keys,
      datetime: new Date(nowMs).toISOString().replace(/[:-]|\.\d{3}/g, ""),
    }).sign();
    return { url: signed.url.toString(), headers: signed.headers };
  }

  async #wait(attempt: number): Promise<void> {
    const { waitMinMs = 100, random = Math.random, sleep = timerSleep } = this.#options;
    const full = waitMinMs * 2 ** (attempt - 1);
    await sleep(Math.round(full / 2 + full / 2 * random()));
  }
}

function timerSleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** The store's own error code (`<Code>AccessDenied</Code>`). */
function reasonOf(bytes: Uint8Array): string {
  const code = /<Code>([A-Za-z0-9]+)<\/Code>/.exec(
    new TextDecoder().decode(bytes.subarray(0, 4096)),
  );
  return code === null ? "" : ` ${code[1]}`;
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
