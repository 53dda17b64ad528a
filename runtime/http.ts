/** What a stage shows over HTTP (design section 9). */
import { ServiceUnreachableError } from "../contracts/errors.ts";
import type { StageStatus } from "../contracts/status.ts";

/** Whether a stage does its work, and why not. */
export interface Readiness {
  ready: boolean;
  reasons: string[];
}

/** Options of {@linkcode serveStage}. */
export interface ServeOptions {
  /** 0 takes a free one. */
  port: number;
  /** @default {"127.0.0.1"} */
  hostname?: string;
  status: () => StageStatus;
  readiness: () => Readiness;
  metrics: () => string;
  /** Ends the server. */
  signal: AbortSignal;
}

/** A server that listens. */
export interface StageServer {
  port: number;
  /** Resolves when it has ended. */
  finished: Promise<void>;
}

function json(document: unknown, status = 200): Response {
  return new Response(JSON.stringify(document, null, 2) + "\n", {
    status,
    headers: { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" },
  });
}

/** Answers one request; pure but for what the three functions read. */
export function answer(
  request: { method: string; url: string },
  options: Pick<ServeOptions, "status" | "readiness" | "metrics">,
): Response {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("Only GET\n", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  switch (new URL(request.url).pathname) {
    case "/healthz":
      return json({ alive: true });
    case "/readyz": {
      const readiness = options.readiness();
      return json(readiness, readiness.ready ? 200 : 503);
    }
    case "/metrics":
      return new Response(options.metrics(), {
        headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
      });
    case "/status":
      return json(options.status());
    default:
      return new Response("Cannot find it: /healthz, /readyz, /metrics and /status are here\n", {
        status: 404,
      });
  }
}

/**
 * Listens until `signal` aborts.
 *
 * @throws {ServiceUnreachableError} when the port is taken.
 */
export function serveStage(options: ServeOptions): StageServer {
  const { port, hostname = "127.0.0.1", signal } = options;
  try {
    const server = Deno.serve({
      port,
      hostname,
      signal,
      onListen: () => {},
      onError: (error) => json({ error: error instanceof Error ? error.message : error }, 500),
    }, (request) => answer(request, options));
    return { port: server.addr.port, finished: server.finished };
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new ServiceUnreachableError(
      "http",
      `Cannot listen on "${hostname}:${port}": the port is taken; set PIPELINE_PORT_OFFSET or stop its owner`,
      { cause: error },
    );
  }
}
