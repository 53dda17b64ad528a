/**
 * The catalog port over the Iceberg REST protocol (rest-catalog-open-api.yaml). JSON is read and written with
 * 64-bit integers intact: snapshot ids of other writers use all 63 bits.
 */

import { parseJson } from "../json.ts";
import { tableMetadataFromJson } from "../metadata.ts";
import { readArray, readObject, readString, readStringMap } from "../read.ts";
import { anonymous, type Authorizer, bearer, clientCredentials, type Fetch } from "./auth.ts";
import { CatalogRequestError, CommitStateUnknownError } from "./errors.ts";
import { callCatalog, type CatalogCall, type CatalogTransport } from "./http.ts";
import {
  type Catalog,
  identName,
  type LoadedTable,
  type Namespace,
  type TableIdent,
} from "./port.ts";

/** How to reach a REST catalog. */
export interface RestCatalogOptions {
  /** Address without `/v1`, e.g. `http://127.0.0.1:8181`. */
  readonly uri: string;
  /** Asked for in `/v1/config`; the server decides what it means. */
  readonly warehouse?: string;
  /** A bearer token. Not together with `credential`. */
  readonly token?: string;
  /** OAuth2 client credentials, `client_id:client_secret`. */
  readonly credential?: string;
  /** Token endpoint. @default {`<uri>/v1/oauth/tokens`} */
  readonly oauthServerUri?: string;
  /** @default {"catalog"} */
  readonly scope?: string;
  /** Further headers of every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds for one request, from sending to the last byte of the answer. @default {30000} */
  readonly timeoutMs?: number;
  /** @default {globalThis.fetch} */
  readonly fetch?: Fetch;
  /** Milliseconds since the epoch; only for the life of OAuth2 tokens. @default {Date.now} */
  readonly nowMs?: () => number;
}

/** A REST catalog also tells the settings it was given by `/v1/config`. */
export interface RestCatalog extends Catalog {
  /** Defaults, then ours, then the server's overrides, merged as the protocol says. */
  configuration(): Promise<Readonly<Record<string, string>>>;
}

/** What `/v1/config` decides about all later requests. */
interface Session {
  readonly configuration: Readonly<Record<string, string>>;
  readonly transport: CatalogTransport;
  /** `/v1` or `/v1/<prefix>`. */
  readonly base: string;
  /** Between the levels of a namespace in a path, already escaped. */
  readonly separator: string;
}

/** Opens a REST catalog; the first request is sent by the first call. */
export function restCatalog(options: RestCatalogOptions): RestCatalog {
  let session: Promise<Session> | undefined;

  /** `/v1/config` is asked once, and again if that failed. */
  function open(): Promise<Session> {
    session ??= openSession(options).catch((error) => {
      session = undefined;
      throw error;
    });
    return session;
  }

  async function call(
    build: (paths: Paths) => CatalogCall,
  ): Promise<unknown> {
    const { transport, base, separator } = await open();
    return await callCatalog(transport, build(new Paths(base, separator)));
  }

  return {
    configuration: async () => (await open()).configuration,
    ...namespaceCalls(call),
    ...tableCalls(call),
  };
}

type Call = (build: (paths: Paths) => CatalogCall) => Promise<unknown>;

/** The paths of the protocol under one prefix. */
class Paths {
  constructor(private readonly base: string, private readonly separator: string) {}

  namespaces(): string {
    return `${this.base}/namespaces`;
  }
  level(namespace: Namespace): string {
    return namespace.map(encodeURIComponent).join(this.separator);
  }
  namespace(namespace: Namespace): string {
    return `${this.base}/namespaces/${this.level(namespace)}`;
  }
  tables(namespace: Namespace): string {
    return `${this.namespace(namespace)}/tables`;
  }
  table(ident: TableIdent): string {
    return `${this.tables(ident.namespace)}/${encodeURIComponent(ident.name)}`;
  }
  rename(): string {
    return `${this.base}/tables/rename`;
  }
}

function namespaceCalls(
  call: Call,
): Pick<Catalog, "listNamespaces" | "createNamespace" | "loadNamespace" | "dropNamespace"> {
  return {
    listNamespaces: async (parent) => {
      const pages = await allPages(call, "namespaces", (paths) => ({
        action: `list namespaces of "${parent?.join(".") ?? ""}"`,
        path: paths.namespaces() +
          (parent === undefined ? "" : `?parent=${paths.level(parent)}`),
        missing: "namespace",
      }));
      return pages.map((level, index) => readArray(level, `namespaces[${index}]`, readString));
    },
    createNamespace: async (namespace, properties = {}) => {
      await call((paths) => ({
        action: `create namespace "${namespace.join(".")}"`,
        method: "POST",
        path: paths.namespaces(),
        body: { namespace, properties },
        kind: "change",
        missing: "namespace",
      }));
    },
    loadNamespace: async (namespace) => {
      const answer = await call((paths) => ({
        action: `load namespace "${namespace.join(".")}"`,
        method: "GET",
        path: paths.namespace(namespace),
        kind: "read",
        missing: "namespace",
      }));
      return readStringMap(readObject(answer, "answer")["properties"] ?? {}, "properties");
    },
    dropNamespace: async (namespace) => {
      await call((paths) => ({
        action: `drop namespace "${namespace.join(".")}"`,
        method: "DELETE",
        path: paths.namespace(namespace),
        kind: "change",
        missing: "namespace",
      }));
    },
  };
}

function tableCalls(
  call: Call,
): Omit<Catalog, "listNamespaces" | "createNamespace" | "loadNamespace" | "dropNamespace"> {
  const table = (verb: string, ident: TableIdent) => `${verb} table "${identName(ident)}"`;
  return {
    listTables: async (namespace) => {
      const pages = await allPages(call, "identifiers", (paths) => ({
        action: `list tables of "${namespace.join(".")}"`,
        path: paths.tables(namespace),
        missing: "namespace",
      }));
      return pages.map((item, index) => {
        const ident = readObject(item, `identifiers[${index}]`);
        return {
          namespace: readArray(ident["namespace"], `identifiers[${index}].namespace`, readString),
          name: readString(ident["name"], `identifiers[${index}].name`),
        };
      });
    },
    createTable: async (ident, request) =>
      loadedTable(
        ident,
        await call((paths) => ({
          action: table("create", ident),
          method: "POST",
          path: paths.tables(ident.namespace),
          body: {
            name: ident.name,
            location: request.location,
            schema: request.schema,
            "partition-spec": request.partitionSpec,
            "write-order": request.sortOrder,
            "stage-create": false,
            properties: request.properties ?? {},
          },
          kind: "change",
          missing: "namespace",
        })),
      ),
    loadTable: async (ident, { known } = {}) => {
      const answer = await call((paths) => ({
        action: table("load", ident),
        method: "GET",
        path: paths.table(ident),
        kind: "read",
        missing: "table",
        parse: (text) => unchanged(text, known) ?? parseJson(text),
      }));
      return answer instanceof Unchanged ? answer.table : loadedTable(ident, answer);
    },
    commitTable: async (ident, request) => {
      const answer = await call((paths) => ({
        action: table("commit to", ident),
        method: "POST",
        path: paths.table(ident),
        body: { identifier: ident, requirements: request.requirements, updates: request.updates },
        kind: "commit",
        missing: "table",
      }));
      try {
        return loadedTable(ident, answer);
      } catch (cause) {
        // It said yes, in words we cannot read: applied, most likely, so nothing may be deleted.
        throw new CommitStateUnknownError(
          `Cannot read the answer to the commit of "${identName(ident)}"`,
          { cause },
        );
      }
    },
    dropTable: async (ident, options = {}) => {
      await call((paths) => ({
        action: table("drop", ident),
        method: "DELETE",
        path: `${paths.table(ident)}?purgeRequested=${options.purge ?? false}`,
        kind: "change",
        missing: "table",
      }));
    },
    renameTable: async (from, to) => {
      await call((paths) => ({
        action: table("rename", from),
        method: "POST",
        path: paths.rename(),
        body: { source: from, destination: to },
        kind: "change",
        missing: "table",
      }));
    },
  };
}

const PAGES_MAX = 10_000;

/** All items of a listing, page by page. */
async function allPages(
  call: Call,
  field: string,
  build: (paths: Paths) => Pick<CatalogCall, "action" | "path" | "missing">,
): Promise<unknown[]> {
  const items: unknown[] = [];
  let token: string | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer = readObject(
      await call((paths) => {
        const request = build(paths);
        const query = token === undefined
          ? ""
          : `${request.path.includes("?") ? "&" : "?"}pageToken=${encodeURIComponent(token)}`;
        return { ...request, method: "GET", path: request.path + query, kind: "read" };
      }),
      "answer",
    );
    items.push(...readArray(answer[field] ?? [], field, (item) => item));
    const next = answer["next-page-token"];
    if (typeof next !== "string" || next === "") return items;
    token = next;
  }
  throw new CatalogRequestError(`Cannot list "${field}": more than ${PAGES_MAX} pages`);
}

/** An answer with the metadata file that the caller knows. */
class Unchanged {
  constructor(readonly table: LoadedTable) {}
}

/**
 * A metadata file is never changed, so one that is known need not be read again: the text with 64-bit integers intact
 * takes several times longer than a plain one, which is good enough for the location.
 */
function unchanged(text: string, known: LoadedTable | undefined): Unchanged | undefined {
  if (known?.metadataLocation === undefined) return undefined;
  const answer = readObject(JSON.parse(text), "answer");
  if (answer["metadata-location"] !== known.metadataLocation) return undefined;
  return new Unchanged({ ...known, config: readStringMap(answer["config"] ?? {}, "config") });
}

/** Reads a LoadTableResult or CommitTableResponse. */
function loadedTable(ident: TableIdent, answer: unknown): LoadedTable {
  const result = readObject(answer, "answer");
  const location = result["metadata-location"];
  return {
    ident,
    metadata: tableMetadataFromJson(result["metadata"]),
    metadataLocation: typeof location === "string" ? location : undefined,
    config: readStringMap(result["config"] ?? {}, "config"),
  };
}

async function openSession(options: RestCatalogOptions): Promise<Session> {
  const { timeoutMs = 30_000, headers = {}, fetch = globalThis.fetch } = options;
  const uri = options.uri.replace(/\/+$/, "").replace(/\/v1$/, "");
  const transport = { uri, fetch, headers, timeoutMs, authorizer: authorizerOf(options, uri) };
  const query = options.warehouse === undefined
    ? ""
    : `?warehouse=${encodeURIComponent(options.warehouse)}`;
  const answer = readObject(
    await callCatalog(transport, {
      action: "read the configuration of the catalog",
      method: "GET",
      path: `/v1/config${query}`,
      kind: "read",
      missing: "namespace",
    }),
    "answer",
  );
  const configuration: Record<string, string> = {
    ...readStringMap(answer["defaults"] ?? {}, "defaults"),
    ...(options.warehouse === undefined ? {} : { warehouse: options.warehouse }),
    ...readStringMap(answer["overrides"] ?? {}, "overrides"),
  };
  const prefix = (configuration["prefix"] ?? "").replace(/^\/+|\/+$/g, "");
  return {
    configuration,
    transport: { ...transport, uri: (configuration["uri"] ?? uri).replace(/\/+$/, "") },
    base: prefix === "" ? "/v1" : `/v1/${prefix}`,
    separator: configuration["namespace-separator"] ?? "%1F",
  };
}

function authorizerOf(options: RestCatalogOptions, uri: string): Authorizer {
  const { token, credential } = options;
  if (token !== undefined && credential !== undefined) {
    throw new TypeError(`Cannot open catalog "${uri}": token and credential are both given`);
  }
  if (token !== undefined) return bearer(token);
  if (credential === undefined) return anonymous;
  return clientCredentials({
    tokenUrl: options.oauthServerUri ?? `${uri}/v1/oauth/tokens`,
    credential,
    ...(options.scope === undefined ? {} : { scope: options.scope }),
    fetch: options.fetch ?? globalThis.fetch,
    nowMs: options.nowMs ?? Date.now,
    timeoutMs: options.timeoutMs ?? 30_000,
  });
}
