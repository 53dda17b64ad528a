/**
 * Real readiness, asked over the wire: a port that is open says nothing about what is behind it.
 */
import type { Readiness } from "./service_spec.ts";

/** What a broker says of its cluster. */
export interface KafkaReady {
  clusterId: string;
  /** Addresses that it advertises, `host:port`. */
  brokers: string[];
}

const METADATA_API = 3;
const METADATA_VERSION = 2;
const ANSWER_BYTES_MAX = 1 << 20;

/**
 * Asks a broker for its metadata (Kafka protocol, Metadata v2, no topics). Ready means: an answer, an
 * elected controller, and at least one unfenced broker in the list.
 *
 * @returns undefined when nothing listens, or the broker is not that far.
 */
export async function kafkaReady(
  address: string,
  timeoutMs = 1000,
): Promise<KafkaReady | undefined> {
  const split = address.lastIndexOf(":");
  const hostname = address.slice(0, split);
  const port = Number(address.slice(split + 1));
  let connection: Deno.TcpConn | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    connection = await Deno.connect({ hostname, port });
    timer = setTimeout(() => connection?.close(), timeoutMs);
    await writeAll(connection, metadataRequest());
    const size = new DataView((await readExactly(connection, 4)).buffer).getInt32(0);
    if (size <= 0 || size > ANSWER_BYTES_MAX) return undefined;
    return parseMetadata(await readExactly(connection, size));
  } catch (error) {
    // A closed or refused socket is the answer "not yet"; anything else is a fault of ours.
    if (error instanceof RangeError || error instanceof TypeError) throw error;
    return undefined;
  } finally {
    clearTimeout(timer);
    try {
      connection?.close();
    } catch {
      // already closed by the timer
    }
  }
}

/** Options of {@linkcode catalogReady}. */
export interface CatalogOptions {
  /** Bearer token of a catalog that wants one. */
  token?: string;
  /** @default {1000} */
  timeoutMs?: number;
}

/** True when the Iceberg REST catalog answers `/v1/config` as one does. */
export async function catalogReady(url: string, options: CatalogOptions = {}): Promise<boolean> {
  const { token, timeoutMs = 1000 } = options;
  try {
    const response = await fetch(`${url}/v1/config`, {
      signal: AbortSignal.timeout(timeoutMs),
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    const body = await response.json();
    return response.ok && typeof body === "object" && body !== null && "defaults" in body;
  } catch {
    return false;
  }
}

/**
 * Creates a namespace unless it is there; returns its location.
 *
 * @throws {Error} with the catalog's answer when it refuses.
 */
export async function ensureNamespace(url: string, namespace: string): Promise<string> {
  const created = await fetch(`${url}/v1/namespaces`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ namespace: [namespace], properties: {} }),
  });
  const refusal = await created.text();
  const response = await fetch(`${url}/v1/namespaces/${namespace}`);
  const body = await response.json();
  if (!response.ok) throw new Error(`Cannot create the namespace "${namespace}": ${refusal}`);
  return String(body.properties?.location);
}

const STAGE_ANSWER_MS = 1500;

/** What `/readyz` of a stage says (design section 9). */
export async function stageReady(address: string): Promise<Readiness> {
  try {
    const response = await fetch(`http://${address}/readyz`, {
      signal: AbortSignal.timeout(STAGE_ANSWER_MS),
    });
    const text = await response.text();
    return response.ok ? { ready: true, reasons: [] } : { ready: false, reasons: reasonsIn(text) };
  } catch (error) {
    const silent = (error as Error).name === "TimeoutError";
    return { ready: false, reasons: [silent ? "it does not answer" : "it does not listen yet"] };
  }
}

/** Whether `/healthz` of a stage answers at all. */
export async function stageAlive(address: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${address}/healthz`, {
      signal: AbortSignal.timeout(STAGE_ANSWER_MS),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

function reasonsIn(text: string): string[] {
  try {
    const { reasons } = JSON.parse(text);
    if (Array.isArray(reasons)) return reasons.map(String);
  } catch {
    // plain text, taken as it is
  }
  return [text.trim().slice(0, 300)];
}

function metadataRequest(): Uint8Array<ArrayBuffer> {
  const clientId = new TextEncoder().encode("up");
  const size = 2 + 2 + 4 + 2 + clientId.length + 4;
  const bytes = new Uint8Array(4 + size);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, size);
  view.setInt16(4, METADATA_API);
  view.setInt16(6, METADATA_VERSION);
  view.setInt32(8, 1);
  view.setInt16(12, clientId.length);
  bytes.set(clientId, 14);
  view.setInt32(14 + clientId.length, 0);
  return bytes;
}

function parseMetadata(bytes: Uint8Array<ArrayBuffer>): KafkaReady | undefined {
  const view = new DataView(bytes.buffer);
  let at = 4; // the correlation id
  function text(): string {
    const length = view.getInt16(at);
    at += 2;
    if (length < 0) return "";
    at += length;
    return new TextDecoder().decode(bytes.subarray(at - length, at));
  }
  const brokers: string[] = [];
  const count = view.getInt32(at);
  at += 4;
  for (let index = 0; index < count; index += 1) {
    at += 4;
    const host = text();
    const port = view.getInt32(at);
    at += 4;
    text(); // rack
    brokers.push(`${host}:${port}`);
  }
  const clusterId = text();
  const controller = view.getInt32(at);
  return brokers.length > 0 && controller >= 0 ? { clusterId, brokers } : undefined;
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  let sent = 0;
  while (sent < bytes.length) sent += await connection.write(bytes.subarray(sent));
}

async function readExactly(
  connection: Deno.TcpConn,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let got = 0;
  while (got < length) {
    const read = await connection.read(bytes.subarray(got));
    if (read === null) throw new Deno.errors.UnexpectedEof("The broker closed the connection");
    got += read;
  }
  return bytes;
}
