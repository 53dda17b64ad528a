/**
 * One request to a REST catalog, and what its failure means. The meaning depends on the request: a
 * failed read changed nothing, a failed commit may have been applied.
 */

import { parseJson, printJson } from "../json.ts";
import type { Authorizer, Fetch } from "./auth.ts";
import {
  AlreadyExistsError,
  CatalogRequestError,
  CatalogUnreachableError,
  CommitConflictError,
  CommitStateUnknownError,
  NamespaceNotEmptyError,
  NoSuchNamespaceError,
  NoSuchTableError,
  NotAuthorizedError,
} from "./errors.ts";

/** A request. `kind` decides what its failure means. */
export interface CatalogCall {
  /** For messages: `load table "a.b"`. */
  readonly action: string;
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the catalog's address, with a leading slash. */
  readonly path: string;
  readonly body?: unknown;
  /** `read` changes nothing; `change` may have been applied when it fails; `commit` also conflicts by 409. */
  readonly kind: "read" | "change" | "commit";
  /** What a 404 says is missing. */
  readonly missing: "namespace" | "table";
  /** Reads the text of the answer. @default {parseJson} */
  readonly parse?: (text: string) => unknown;
}

/** How requests are sent. */
export interface CatalogTransport {
  /** Address without a trailing slash. */
  readonly uri: string;
  readonly fetch: Fetch;
  readonly authorizer: Authorizer;
  readonly headers: Readonly<Record<string, string>>;
  /** From sending to the last byte of the answer. */
  readonly timeoutMs: number;
}

/** Sends a request; gives the parsed JSON of the answer, undefined if it is empty. */
export async function callCatalog(
  transport: CatalogTransport,
  call: CatalogCall,
): Promise<unknown> {
  let answer = await exchange(transport, call);
  // 401 and 419 are answered before anything is applied, so even a commit may be sent again.
  if ((answer.status === 401 || answer.status === 419) && transport.authorizer.refused()) {
    answer = await exchange(transport, call);
  }
  if (answer.status < 200 || answer.status > 299) throw statusError(call, answer);
  if (answer.text === "") return undefined;
  try {
    return (call.parse ?? parseJson)(answer.text);
  } catch (cause) {
    throw unansweredError(call, `the answer is not JSON`, { cause, status: answer.status });
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function exchange(transport: CatalogTransport, call: CatalogCall): Promise<Answer> {
  const authorization = await transport.authorizer.headers();
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), transport.timeoutMs);
  try {
    const response = await transport.fetch(transport.uri + call.path, {
      method: call.method,
      headers: {
        accept: "application/json",
        ...transport.headers,
        ...authorization,
        ...(call.body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(call.body === undefined ? {} : { body: printJson(call.body) }),
      // A redirect would turn a POST into a GET, or carry the token to a stranger.
      redirect: "manual",
      signal: controller.signal,
    });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    if (isConnectFailure(cause)) {
      throw new CatalogUnreachableError(
        `Cannot ${call.action}: cannot connect to "${transport.uri}"`,
        { cause },
      );
    }
    const reason = controller.signal.aborted
      ? `no answer within ${transport.timeoutMs} ms`
      : (cause as Error).message;
    throw unansweredError(call, reason, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * True if the connection was never made, so nothing was sent. Deno's fetch tells it only by the text of its
 * TypeError (hyper's error kind); anything else counts as sent.
 */
function isConnectFailure(cause: unknown): boolean {
  return cause instanceof TypeError &&
    /client error \(Connect\)|dns error|failed to lookup/.test(cause.message);
}

/** No usable answer: what that means for this kind of request. */
function unansweredError(
  call: CatalogCall,
  reason: string,
  options: ErrorOptions & { status?: number },
): Error {
  return call.kind === "read"
    ? new CatalogUnreachableError(`Cannot ${call.action}: ${reason}`, options)
    : new CommitStateUnknownError(
      `Cannot tell whether the catalog did "${call.action}": ${reason}`,
      options,
    );
}

function statusError(call: CatalogCall, answer: Answer): Error {
  const { status } = answer;
  const { message, type } = errorModel(answer);
  const text = `Cannot ${call.action}: the catalog answered ${status}: ${message}`;
  if (status === 401 || status === 403 || status === 419) {
    return new NotAuthorizedError(text, { status });
  }
  if (status >= 500 || status === 408 || status === 425 || status === 429) {
    return unansweredError(call, `the catalog answered ${status}: ${message}`, { status });
  }
  if (status === 404) {
    const namespace = type === "NoSuchNamespaceException" ||
      (type !== "NoSuchTableException" && call.missing === "namespace");
    return namespace
      ? new NoSuchNamespaceError(text, { status })
      : new NoSuchTableError(text, { status });
  }
  if (type === "NamespaceNotEmptyException") return new NamespaceNotEmptyError(text, { status });
  if (status === 409) {
    if (call.kind === "commit") return new CommitConflictError(text, { status });
    if (call.method === "DELETE") return new NamespaceNotEmptyError(text, { status });
    return new AlreadyExistsError(text, { status });
  }
  return new CatalogRequestError(text, { status });
}

const MESSAGE_CHARS_MAX = 500;

/** The message and type of an IcebergErrorResponse (OpenAPI `ErrorModel`), or the start of the text. */
function errorModel(answer: Answer): { message: string; type: string } {
  try {
    const body = parseJson(answer.text) as { error?: { message?: unknown; type?: unknown } };
    if (typeof body.error?.message === "string") {
      return {
        message: body.error.message.slice(0, MESSAGE_CHARS_MAX),
        type: String(body.error.type ?? ""),
      };
    }
  } catch {
    // Not the catalog's own words (a proxy's page): shown as it is below.
  }
  return { message: answer.text.trim().slice(0, MESSAGE_CHARS_MAX) || "no message", type: "" };
}
