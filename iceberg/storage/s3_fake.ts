/**
 * An S3 server out of one function, for tests: checks every signature by an implementation of its own
 * (node:crypto, from Amazon's description), honours conditional creation and ranges, pages its listings.
 */

import { createHash, createHmac } from "node:crypto";

/** A fault for the next request of a method, once. */
export interface S3Fault {
  readonly method: string;
  /** Answer with this status, or lose the connection if absent. */
  readonly status?: number;
  /** The request takes effect first. @default {false} */
  readonly afterEffect?: boolean;
}

/** The fake; `fetch` is what the adapter calls. */
export class FakeS3 {
  readonly accessKeyId = "AKIDEXAMPLE";
  readonly secretAccessKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  readonly region = "eu-central-1";
  readonly objects = new Map<string, { bytes: Uint8Array; modifiedMs: number }>();
  readonly requests: string[] = [];
  faults: S3Fault[] = [];
  /** Objects per page of a listing. */
  pageSize = 2;

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const method = init.method ?? "GET";
    this.requests.push(`${method} ${url}`);
    const body = (init.body ?? new Uint8Array()) as Uint8Array;
    const refusal = this.#refuse(new URL(url), method, new Headers(init.headers), body);
    if (refusal !== undefined) return error(403, refusal);
    const fault = this.faults.find((one) => one.method === method);
    if (fault === undefined) return await this.#answer(url, init, body);
    this.faults = this.faults.filter((one) => one !== fault);
    if (fault.afterEffect === true) await this.#answer(url, init, body);
    if (fault.status === undefined) throw new TypeError("connection closed");
    return error(fault.status, "InternalError");
  };

  #answer(url: string, init: RequestInit, body: Uint8Array): Promise<Response> {
    const { pathname, searchParams } = new URL(url);
    const key = decodeURIComponent(pathname);
    const headers = new Headers(init.headers);
    const object = this.objects.get(key);
    switch (init.method) {
      case "PUT":
        if (headers.get("if-none-match") === "*" && object !== undefined) {
          return Promise.resolve(error(412, "PreconditionFailed"));
        }
        this.objects.set(key, { bytes: body.slice(), modifiedMs: Date.UTC(2026, 10, 21) });
        return Promise.resolve(new Response());
      case "DELETE":
        this.objects.delete(key);
        return Promise.resolve(new Response(null, { status: 204 }));
      case "HEAD":
        if (object === undefined) return Promise.resolve(new Response(null, { status: 404 }));
        return Promise.resolve(
          new Response(null, {
            headers: {
              "content-length": String(object.bytes.length),
              "last-modified": new Date(object.modifiedMs).toUTCString(),
            },
          }),
        );
      default:
        if (searchParams.has("list-type")) return Promise.resolve(this.#list(key, searchParams));
        if (object === undefined) return Promise.resolve(error(404, "NoSuchKey"));
        return Promise.resolve(ranged(object.bytes, headers.get("range")));
    }
  }

  #list(bucket: string, query: URLSearchParams): Response {
    const prefix = bucket + (bucket.endsWith("/") ? "" : "/") + query.get("prefix");
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    const from = Number(query.get("continuation-token") ?? 0);
    const page = keys.slice(from, from + this.pageSize);
    const next = from + this.pageSize;
    const contents = page.map((key) => {
      const { bytes, modifiedMs } = this.objects.get(key)!;
      const name = encodeURIComponent(key.slice(key.indexOf("/", 1) + 1)).replaceAll("%20", "+");
      return `<Contents><Key>${name}</Key><LastModified>${
        new Date(modifiedMs).toISOString()
      }</LastModified><Size>${bytes.length}</Size></Contents>`;
    });
    const cut = next < keys.length;
    return new Response(
      `<ListBucketResult><IsTruncated>${cut}</IsTruncated>${
        cut ? `<NextContinuationToken>${next}</NextContinuationToken>` : ""
      }${contents.join("")}</ListBucketResult>`,
    );
  }

  /** Why a request is refused, by Amazon's "Authenticating Requests: AWS Signature Version 4". */
  #refuse(url: URL, method: string, headers: Headers, body: Uint8Array): string | undefined {
    const authorization = headers.get("authorization") ?? "";
    const parts =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/
        .exec(authorization);
    if (parts === null) return "AccessDenied";
    const [, keyId, date, region, signed, signature] = parts as unknown as string[];
    if (keyId !== this.accessKeyId || region !== this.region) return "InvalidAccessKeyId";
    const bodyHash = createHash("sha256").update(body).digest("hex");
    if (headers.get("x-amz-content-sha256") !== bodyHash) return "XAmzContentSHA256Mismatch";
    const names = signed!.split(";");
    if (!names.includes("host") || !names.includes("x-amz-content-sha256")) return "AccessDenied";
    const query = [...url.searchParams]
      .map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`).sort().join("&");
    const canonical = [
      method,
      decodeURIComponent(url.pathname).split("/").map(uriEncode).join("/"),
      query,
      ...names.map((name) => `${name}:${name === "host" ? url.host : headers.get(name)}`),
      "",
      signed,
      bodyHash,
    ].join("\n");
    const scope = `${date}/${region}/s3/aws4_request`;
    const toSign = ["AWS4-HMAC-SHA256", headers.get("x-amz-date"), scope, sha256(canonical)];
    let key: Uint8Array | string = "AWS4" + this.secretAccessKey;
    for (const part of [date!, region!, "s3", "aws4_request"]) {
      key = createHmac("sha256", key).update(part).digest();
    }
    const expected = createHmac("sha256", key).update(toSign.join("\n")).digest("hex");
    return signature === expected ? undefined : "SignatureDoesNotMatch";
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function uriEncode(text: string): string {
  return [...new TextEncoder().encode(text)].map((byte) => {
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9._~-]/.test(char)
      ? char
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

function ranged(bytes: Uint8Array, range: string | null): Response {
  const match = /^bytes=(\d+)-(\d*)$/.exec(range ?? "");
  if (match === null) return new Response(new Uint8Array(bytes));
  const from = Number(match[1]);
  if (from >= bytes.length) return error(416, "InvalidRange");
  const to = match[2] === "" ? bytes.length : Number(match[2]) + 1;
  return new Response(bytes.slice(from, to), { status: 206 });
}

function error(status: number, code: string): Response {
  return new Response(`<Error><Code>${code}</Code></Error>`, { status });
}
