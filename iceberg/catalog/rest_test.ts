/** What the adapter sends, and what it makes of each answer; the real server's suite is rest_itest.ts. */

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import type { Fetch } from "./auth.ts";
import {
  CatalogRequestError,
  CatalogUnreachableError,
  CommitConflictError,
  CommitStateUnknownError,
  NoSuchTableError,
  NotAuthorizedError,
} from "./errors.ts";
import { restCatalog } from "./rest.ts";

interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

type Answer = { status?: number; body?: string; config?: string } | Error;

/** A server out of one function; `/v1/config` is answered with `config`. */
function server(answer: (sent: Sent) => Answer): { fetch: Fetch; sent: Sent[] } {
  const sent: Sent[] = [];
  return {
    sent,
    fetch: (url, init) => {
      const request = {
        method: init.method ?? "GET",
        url,
        headers: init.headers as Record<string, string>,
        body: String(init.body ?? ""),
      };
      sent.push(request);
      const result = answer(request);
      if (result instanceof Error) return Promise.reject(result);
      return Promise.resolve(new Response(result.body ?? "", { status: result.status ?? 200 }));
    },
  };
}

const IDENT = { namespace: ["a b", "c"], name: "t/1" };
const COMMIT = { requirements: [], updates: [] };
const URI = "http://catalog.test";

// deno-lint-ignore no-explicit-any -- classes with any constructor
type Kind = new (...args: any[]) => Error;

/** A catalog whose configuration is empty and that answers everything else the same way. */
function answering(answer: Answer) {
  return server(({ url }) => url.includes("/v1/config") ? { body: "{}" } : answer);
}

Deno.test("restCatalog asks for its configuration once and obeys it", async () => {
  const { fetch, sent } = server(({ url }) =>
    url.includes("/v1/config")
      ? {
        body: JSON.stringify({
          defaults: { prefix: "overridden", color: "red" },
          overrides: { prefix: "ws/1", "namespace-separator": "%2E" },
        }),
      }
      : { body: '{"identifiers":[{"namespace":["a b","c"],"name":"t"}]}' }
  );
  const catalog = restCatalog({ uri: `${URI}/`, warehouse: "s3://w", token: "secret", fetch });
  await catalog.listTables(["a b", "c"]);
  await catalog.listTables(["a b", "c"]);
  assertEquals(sent.map(({ url }) => url), [
    `${URI}/v1/config?warehouse=s3%3A%2F%2Fw`,
    `${URI}/v1/ws/1/namespaces/a%20b%2Ec/tables`,
    `${URI}/v1/ws/1/namespaces/a%20b%2Ec/tables`,
  ]);
  assert(sent.every(({ headers }) => headers["authorization"] === "Bearer secret"));
  assertEquals((await catalog.configuration())["color"], "red");
});

Deno.test("restCatalog asks for the configuration again if it failed", async () => {
  let up = false;
  const { fetch } = server(() => up ? { body: '{"namespaces":[]}' } : { status: 503 });
  const catalog = restCatalog({ uri: URI, fetch });
  await assertRejects(() => catalog.listNamespaces(), CatalogUnreachableError);
  up = true;
  assertEquals(await catalog.listNamespaces(), []);
});

Deno.test("restCatalog reads listings page by page", async () => {
  const { fetch, sent } = server(({ url }) => {
    if (url.includes("/v1/config")) return { body: "{}" };
    return url.includes("pageToken=p%202")
      ? { body: '{"namespaces":[["b"]]}' }
      : { body: '{"namespaces":[["a"]],"next-page-token":"p 2"}' };
  });
  assertEquals(await restCatalog({ uri: URI, fetch }).listNamespaces(["x", "y"]), [["a"], ["b"]]);
  assertEquals(sent[1]?.url, `${URI}/v1/namespaces?parent=x%1Fy`);
  assertEquals(sent[2]?.url, `${URI}/v1/namespaces?parent=x%1Fy&pageToken=p%202`);
});

Deno.test("restCatalog sends 63-bit ids as plain integers", async () => {
  const { fetch, sent } = answering({ status: 409, body: "{}" });
  await assertRejects(
    () =>
      restCatalog({ uri: URI, fetch }).commitTable(IDENT, {
        requirements: [{
          type: "assert-ref-snapshot-id",
          ref: "main",
          "snapshot-id": 9_223_372_036_854_775_807n,
        }],
        updates: [{ action: "remove-snapshots", "snapshot-ids": [9_007_199_254_740_993n] }],
      }),
    CommitConflictError,
  );
  assertEquals(sent[1]?.url, `${URI}/v1/namespaces/a%20b%1Fc/tables/t%2F1`);
  assert(sent[1]?.body.includes('"snapshot-id":9223372036854775807'));
  assert(sent[1]?.body.includes('"snapshot-ids":[9007199254740993]'));
});

Deno.test("restCatalog: what an answer to a commit, and to a read, means", async () => {
  const refused = new TypeError("error sending request: client error (Connect): refused");
  const closed = new TypeError("error sending request: client error (SendRequest): closed");
  const error = (type: string) => JSON.stringify({ error: { message: "why", type, code: 0 } });
  // answer                                              commit                    load
  const table: readonly [Answer, Kind, Kind][] = [
    [{ status: 409, body: error("CommitFailedException") }, CommitConflictError, Error],
    [{ status: 500, body: error("Oops") }, CommitStateUnknownError, CatalogUnreachableError],
    [{ status: 502, body: "<html>" }, CommitStateUnknownError, CatalogUnreachableError],
    [{ status: 503 }, CommitStateUnknownError, CatalogUnreachableError],
    [{ status: 504 }, CommitStateUnknownError, CatalogUnreachableError],
    [{ status: 507 }, CommitStateUnknownError, CatalogUnreachableError],
    [{ status: 429 }, CommitStateUnknownError, CatalogUnreachableError],
    [{ status: 200, body: "{cut" }, CommitStateUnknownError, CatalogUnreachableError],
    [{ status: 200, body: "{}" }, CommitStateUnknownError, Error],
    [closed, CommitStateUnknownError, CatalogUnreachableError],
    [refused, CatalogUnreachableError, CatalogUnreachableError],
    [{ status: 400, body: error("BadRequest") }, CatalogRequestError, CatalogRequestError],
    [{ status: 302 }, CatalogRequestError, CatalogRequestError],
    [{ status: 401 }, NotAuthorizedError, NotAuthorizedError],
    [{ status: 403 }, NotAuthorizedError, NotAuthorizedError],
    [{ status: 404, body: error("NoSuchTableException") }, NoSuchTableError, NoSuchTableError],
    [{ status: 404 }, NoSuchTableError, NoSuchTableError],
  ];
  for (const [answer, commit, load] of table) {
    const catalog = restCatalog({ uri: URI, fetch: answering(answer).fetch });
    await assertRejects(
      () => catalog.commitTable(IDENT, COMMIT),
      commit,
    );
    await assertRejects(() => catalog.loadTable(IDENT), load);
  }
});

Deno.test("restCatalog: no answer in time is unknown for a commit", async () => {
  const fetch: Fetch = (url, init) => {
    if (url.includes("/v1/config")) return Promise.resolve(new Response("{}"));
    return new Promise((_, reject) =>
      init.signal!.addEventListener("abort", () => reject(new DOMException("late", "AbortError")))
    );
  };
  const catalog = restCatalog({ uri: URI, fetch, timeoutMs: 1 });
  await assertRejects(() => catalog.commitTable(IDENT, COMMIT), CommitStateUnknownError);
  await assertRejects(() => catalog.loadTable(IDENT), CatalogUnreachableError, "within 1 ms");
});

Deno.test("restCatalog gets an OAuth2 token, keeps it, renews it in time and after a 401", async () => {
  let nowMs = 0;
  let tokens = 0;
  let reject = false;
  const { fetch, sent } = server(({ url, headers }) => {
    if (url.endsWith("/oauth/tokens")) {
      return { body: JSON.stringify({ access_token: `t${++tokens}`, expires_in: 600 }) };
    }
    if (url.includes("/v1/config")) return { body: "{}" };
    if (reject && headers["authorization"] === "Bearer t2") return { status: 401 };
    return { body: '{"namespaces":[]}' };
  });
  const catalog = restCatalog({
    uri: URI,
    credential: "id:se:cret",
    scope: "PRINCIPAL_ROLE:ALL",
    fetch,
    nowMs: () => nowMs,
  });
  await catalog.listNamespaces();
  assertEquals(sent[0]?.url, `${URI}/v1/oauth/tokens`);
  assertEquals(
    sent[0]?.body,
    "grant_type=client_credentials&client_id=id&client_secret=se%3Acret&scope=PRINCIPAL_ROLE%3AALL",
  );
  assertEquals(tokens, 1);
  nowMs = 539_000;
  await catalog.listNamespaces();
  assertEquals(tokens, 1);
  nowMs = 540_000;
  await catalog.listNamespaces();
  assertEquals(tokens, 2);
  reject = true;
  await catalog.listNamespaces();
  assertEquals(tokens, 3);
  assertEquals(sent.at(-1)?.headers["authorization"], "Bearer t3");
});

Deno.test("restCatalog: bad credentials are NotAuthorizedError and do not show the secret", async () => {
  const { fetch } = server(() => ({
    status: 401,
    body: '{"error":"invalid_client","error_description":"se-cret is wrong"}',
  }));
  const catalog = restCatalog({ uri: URI, credential: "id:se-cret", fetch });
  const error = await assertRejects(() => catalog.listNamespaces(), NotAuthorizedError);
  assertEquals(
    error.message,
    'Cannot get a token from "http://catalog.test/v1/oauth/tokens": it answered 401 invalid_client',
  );
});

/** What the server knows of a table, in the fewest words. */
function metadataOf(lastUpdatedMs: number) {
  return {
    "format-version": 2,
    "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1",
    location: "s3://b/t",
    "last-sequence-number": 0,
    "last-updated-ms": lastUpdatedMs,
    "last-column-id": 0,
    schemas: [{ type: "struct", "schema-id": 0, fields: [] }],
    "current-schema-id": 0,
    "partition-specs": [{ "spec-id": 0, fields: [] }],
    "default-spec-id": 0,
    "last-partition-id": 999,
    "sort-orders": [{ "order-id": 0, fields: [] }],
    "default-sort-order-id": 0,
  };
}

Deno.test("restCatalog reads metadata again only where the catalog names another file", async () => {
  let version = 1;
  const { fetch, sent } = server(({ url }) =>
    url.includes("/v1/config") ? { body: "{}" } : {
      body: JSON.stringify({
        metadata: metadataOf(version),
        "metadata-location": `s3://b/t/${version}.metadata.json`,
        config: { token: `${sent.length}` },
      }),
    }
  );
  const catalog = restCatalog({ uri: URI, fetch });
  const first = await catalog.loadTable(IDENT);
  const second = await catalog.loadTable(IDENT, { known: first });
  assertStrictEquals(second.metadata, first.metadata);
  // Credentials are the answer's, not those of before.
  assertEquals([first.config["token"], second.config["token"]], ["2", "3"]);
  version = 2;
  const third = await catalog.loadTable(IDENT, { known: second });
  assertEquals(third.metadataLocation, "s3://b/t/2.metadata.json");
  assertEquals(third.metadata["last-updated-ms"], 2);
});
