/** How requests prove who sends them: nothing, a fixed bearer token, or OAuth2 client credentials. */

import { parseJson } from "../json.ts";
import { CatalogRequestError, CatalogUnreachableError, NotAuthorizedError } from "./errors.ts";

/** The function that sends requests; `globalThis.fetch` or a test's. */
export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/** Gives the headers of a request. */
export interface Authorizer {
  /** Headers to add; may fetch a token first. */
  headers(): Promise<Record<string, string>>;
  /** Told that the catalog answered 401; true if a second try may go better. */
  refused(): boolean;
}

/** No credentials. */
export const anonymous: Authorizer = { headers: () => Promise.resolve({}), refused: () => false };

/** A fixed bearer token. */
export function bearer(token: string): Authorizer {
  return {
    headers: () => Promise.resolve({ authorization: `Bearer ${token}` }),
    refused: () => false,
  };
}

/** What the client-credentials flow (RFC 6749, section 4.4) needs. */
export interface ClientCredentialsOptions {
  /** The token endpoint. */
  readonly tokenUrl: string;
  /** `client_id:client_secret`, or a secret alone, as Iceberg's `credential` property has it. */
  readonly credential: string;
  /** @default {"catalog"} */
  readonly scope?: string;
  /** Further form fields (`audience`, `resource`). */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly fetch: Fetch;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Milliseconds for the token request. */
  readonly timeoutMs: number;
}

/** A token is renewed this long before it ends, so that it does not end on its way. */
const EXPIRY_MARGIN_MS = 60_000;

/** OAuth2 client credentials; the token is kept until shortly before its end or a 401. */
export function clientCredentials(options: ClientCredentialsOptions): Authorizer {
  let token: { value: string; untilMs: number } | undefined;
  let pending: Promise<{ value: string; untilMs: number }> | undefined;

  async function current(): Promise<string> {
    if (token === undefined || options.nowMs() >= token.untilMs) {
      // Concurrent requests share one token request.
      pending ??= requestToken(options).finally(() => pending = undefined);
      token = await pending;
    }
    return token.value;
  }

  return {
    headers: async () => ({ authorization: `Bearer ${await current()}` }),
    refused: () => {
      token = undefined;
      return true;
    },
  };
}

async function requestToken(
  options: ClientCredentialsOptions,
): Promise<{ value: string; untilMs: number }> {
  const colon = options.credential.indexOf(":");
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    ...(colon >= 0 ? { client_id: options.credential.slice(0, colon) } : {}),
    client_secret: options.credential.slice(colon + 1),
    scope: options.scope ?? "catalog",
    ...options.parameters,
  });
  const { status, text } = await send(options, form);
  if (status >= 500) {
    throw new CatalogUnreachableError(
      `Cannot get a token from "${options.tokenUrl}": it answered ${status}`,
      { status },
    );
  }
  if (status !== 200) {
    throw new NotAuthorizedError(
      `Cannot get a token from "${options.tokenUrl}": it answered ${status} ${oauthReason(text)}`,
      { status },
    );
  }
  const answer = parseJsonObject(text);
  const value = answer["access_token"];
  const expires = Number(answer["expires_in"] ?? 3600);
  if (typeof value !== "string" || !Number.isFinite(expires)) {
    throw new CatalogRequestError(
      `Cannot get a token from "${options.tokenUrl}": the answer has no access_token`,
    );
  }
  // A token that lives shorter than the margin is used for half its life.
  const lifeMs = expires * 1000;
  return { value, untilMs: options.nowMs() + Math.max(lifeMs - EXPIRY_MARGIN_MS, lifeMs / 2) };
}

async function send(
  options: ClientCredentialsOptions,
  form: URLSearchParams,
): Promise<{ status: number; text: string }> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), options.timeoutMs);
  try {
    const response = await options.fetch(options.tokenUrl, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
      body: form.toString(),
      redirect: "error",
      signal: controller.signal,
    });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    throw new CatalogUnreachableError(
      `Cannot get a token from "${options.tokenUrl}": ${(cause as Error).message}`,
      { cause },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** The error code only: an answer may echo what was sent, and that is a secret. */
function oauthReason(text: string): string {
  const code = parseJsonObject(text)["error"];
  return typeof code === "string" ? code : "";
}

function parseJsonObject(text: string): Record<string, unknown> {
  try {
    const value = parseJson(text);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
  } catch {
    return {};
  }
}
