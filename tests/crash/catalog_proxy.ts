/**
 * Stands between the sink and the catalog and makes a commit's answer what a bad day makes it. Only commits
 * of tables (POST …/tables/<name>) are touched.
 */

/** What happens to one commit request. */
export type CommitFate =
  | "pass"
  /** Applied, the client is told otherwise. */
  | "applied_500"
  | "applied_409"
  /** Applied, the connection is closed without an answer. */
  | "applied_closed"
  /** Not applied. */
  | "refused_503"
  /** The process under test is killed before the catalog sees the commit, or after it applied it. */
  | "kill_before"
  | "kill_after";

/** Options of {@linkcode startCatalogProxy}. */
export interface CatalogProxyOptions {
  /** Address of the catalog; may change while it is restarted. */
  target: () => string;
  /** Decides about the n-th commit, from 0. */
  fate: (commit: number) => CommitFate;
  /** Kills the process under test; resolves when it is gone. */
  kill: () => Promise<void>;
}

/** A running proxy. */
export interface CatalogProxy {
  url: string;
  /** Commit requests so far. */
  commits(): number;
  /** Fates that came to pass, by kind: a fault that never struck tests nothing. */
  struck: Map<CommitFate, number>;
  stop(): Promise<void>;
}

const COMMIT = /^\/v1\/(?:[^/]+\/)?namespaces\/[^/]+\/tables\/[^/]+$/;

/** Starts it on a free port. */
export function startCatalogProxy(options: CatalogProxyOptions): CatalogProxy {
  const struck = new Map<CommitFate, number>();
  let commits = 0;

  async function forward(request: Request, body: Uint8Array<ArrayBuffer> | undefined) {
    const url = new URL(request.url);
    const answer = await fetch(`${options.target()}${url.pathname}${url.search}`, {
      method: request.method,
      headers: request.headers,
      ...(body === undefined ? {} : { body }),
    });
    const bytes = await answer.bytes();
    const type = answer.headers.get("content-type") ?? "application/json";
    return new Response(bytes.length === 0 ? null : bytes, {
      status: answer.status,
      headers: { "content-type": type },
    });
  }

  async function commit(request: Request, body: Uint8Array<ArrayBuffer>): Promise<Response> {
    const fate = options.fate(commits++);
    struck.set(fate, (struck.get(fate) ?? 0) + 1);
    if (fate === "refused_503") return errorAnswer(503, "overloaded");
    if (fate === "kill_before") {
      await options.kill();
      return errorAnswer(500, "nobody is there to read this");
    }
    const answer = await forward(request, body);
    if (fate === "kill_after") await options.kill();
    // What was refused by the catalog itself stays so: only an applied commit can be lied about.
    if (!answer.ok) return answer;
    switch (fate) {
      case "applied_500":
        return errorAnswer(500, "applied, but");
      case "applied_409":
        return errorAnswer(409, "a proxy sent it twice");
      case "applied_closed":
        // An error while the body streams closes the connection in the middle of the answer.
        return new Response(
          new ReadableStream({ start: (controller) => controller.error(new Error("cut")) }),
        );
      default:
        return answer;
    }
  }

  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {}, onError: () => errorAnswer(502, "down") },
    async (request) => {
      const body = request.method === "POST" ? await request.bytes() : undefined;
      const { pathname } = new URL(request.url);
      return body !== undefined && COMMIT.test(pathname)
        ? await commit(request, body)
        : await forward(request, body);
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    commits: () => commits,
    struck,
    stop: () => server.shutdown(),
  };
}

function errorAnswer(code: number, message: string): Response {
  const type = code === 409 ? "CommitFailedException" : "ServiceFailureException";
  return Response.json({ error: { message, type, code } }, { status: code });
}
