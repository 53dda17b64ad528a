/**
 * One TCP (or TLS) connection to one Kafka node. kafkajs connects, negotiates versions, authenticates
 * (SASL) and matches answers to requests; the requests themselves are ours (`kafka_messages_*.ts`).
 *
 * kafkajs ships no types for what lies under `src/`, so the few members in use are declared here. It
 * reads two variables of the environment (KAFKAJS_DEBUG_PROTOCOL_BUFFERS and
 * KAFKAJS_DEBUG_EXTENDED_PROTOCOL_BUFFERS), which a restricted process must be allowed to.
 */
import type { Buffer } from "node:buffer";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import type { SASLOptions } from "kafkajs";
import KafkajsBroker from "kafkajs/src/broker/index.js";
import KafkajsConnectionPool from "kafkajs/src/network/connectionPool.js";
import { FrameSocket, freshBuffer, reusedBuffer } from "./frame_socket.ts";
import { ConnectionLostError } from "./kafka_errors.ts";
import { ByteReader, ByteWriter } from "./wire.ts";

/** A request of a fixed version, and how to read its answer. */
export interface Message<T> {
  name: string;
  key: number;
  version: number;
  /** Flexible versions have tagged fields in both headers. */
  flexible?: boolean;
  write(writer: ByteWriter): void;
  read(reader: ByteReader): T;
}

/** Called with what kafkajs has to say; nothing of it goes to the console. */
export type KafkaLog = (
  level: "warn" | "info",
  message: string,
  fields: Record<string, unknown>,
) => void;

/** What every connection of a client shares. */
export interface ConnectionSettings {
  clientId: string;
  ssl?: ConnectionOptions | boolean;
  sasl?: SASLOptions;
  connectMsMax: number;
  requestMsMax: number;
  log: KafkaLog;
}

/** Where a node listens. */
export interface Address {
  host: string;
  port: number;
}

interface KafkajsConnection {
  socket: Pick<Socket, "write" | "destroy">;
  /** Set while a SASL exchange is under way, which takes answers that are no Kafka responses. */
  authHandlers: unknown;
  processData(data: Uint8Array): void;
  requestQueue: {
    pending: unknown[];
    scheduleCheckPendingRequests(): void;
    fulfillRequest(answer: { size: number; correlationId: number; payload: Uint8Array }): void;
    push(request: {
      entry: {
        apiKey: number;
        apiName: string;
        apiVersion: number;
        correlationId: number;
        resolve(answer: { payload: Uint8Array }): void;
        reject(error: Error): void;
      };
      expectResponse: boolean;
      requestTimeout: number;
      sendRequest(): void;
    }): void;
  };
  isConnected(): boolean;
  isAuthenticated(): boolean;
  authenticate(): Promise<void>;
  nextCorrelationId(): number;
  rejectRequests(error: Error): void;
  disconnect(): Promise<unknown>;
}

type Versions = Record<number, { minVersion: number; maxVersion: number } | undefined>;

interface KafkajsLogger {
  namespace(): KafkajsLogger;
  error(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  debug(message: string, fields?: Record<string, unknown>): void;
}

const KEEP_ALIVE_MS = 60_000;
const encoder = new TextEncoder();

function kafkajsLogger(log: KafkaLog): KafkajsLogger {
  const logger: KafkajsLogger = {
    namespace: () => logger,
    // Of every failed attempt; what comes of it is thrown to the caller. No stacks of its insides.
    error: (message, { stack: _, ...fields } = {}) => log("warn", message, fields),
    warn: (message, fields = {}) => log("warn", message, fields),
    info: (message, fields = {}) => log("info", message, fields),
    debug: () => {}, // one line per request and answer
  };
  return logger;
}

/**
 * kafkajs sets a timer of a negative delay at every answer, pending requests or not, of which the
 * runtime warns on the console; with something pending the delay is right.
 */
function quietTimers(queue: KafkajsConnection["requestQueue"]): void {
  const schedule = queue.scheduleCheckPendingRequests.bind(queue);
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) schedule();
  };
}

/** kafkajs joins chunks to answers, with a copy of each; a socket of ours has joined them already. */
function takeWholeAnswers(connection: KafkajsConnection): void {
  const process = connection.processData.bind(connection);
  connection.processData = (data) => {
    if (connection.authHandlers) return process(data);
    const answer = data as Buffer;
    connection.requestQueue.fulfillRequest({
      size: answer.length - 4,
      correlationId: answer.readInt32BE(4),
      payload: answer.subarray(8),
    });
  };
}

interface SocketRequest extends Address {
  ssl?: ConnectionOptions;
  onConnect(): void;
}

/** Without Nagle's delay: a request of ours is often one small packet after another. */
function openSocket({ host, port, ssl, onConnect }: SocketRequest): Socket {
  const socket = ssl
    ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
    : connectTcp({ host, port }, onConnect);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return socket;
}

/** Whose memory answers are in: `fresh` is the caller's for ever, `reused` holds until the next answer comes. */
export type Answers = "fresh" | "reused";

/** One connection. Requests are answered in order; several may be under way. */
export class KafkaConnection {
  readonly #connection: KafkajsConnection;
  readonly #versions: Versions;
  readonly #settings: ConnectionSettings;
  readonly #clientId: Uint8Array;
  readonly #where: string;
  #closed = false;

  private constructor(
    connection: KafkajsConnection,
    versions: Versions,
    options: { settings: ConnectionSettings; where: string },
  ) {
    this.#connection = connection;
    this.#versions = versions;
    this.#settings = options.settings;
    this.#where = options.where;
    this.#clientId = encoder.encode(options.settings.clientId);
  }

  /**
   * Connects and authenticates.
   *
   * @throws {ConnectionLostError} when nothing answers there.
   */
  static async open(
    address: Address,
    settings: ConnectionSettings,
    answers: Answers = "fresh",
  ): Promise<KafkaConnection> {
    const where = `${address.host}:${address.port}`;
    const ownSocket = !settings.ssl && isIP(address.host) !== 0;
    const take = answers === "fresh" ? freshBuffer : reusedBuffer();
    const pool = new KafkajsConnectionPool({
      ...address,
      clientId: settings.clientId,
      logger: kafkajsLogger(settings.log),
      socketFactory: ownSocket
        ? ({ host, port, onConnect }: SocketRequest) =>
          new FrameSocket({ host, port, keepAlive: true, take, onConnect })
        : openSocket,
      ssl: settings.ssl === true ? {} : settings.ssl || null,
      sasl: settings.sasl ?? null,
      connectionTimeout: settings.connectMsMax,
      requestTimeout: settings.requestMsMax,
    });
    for (const each of pool.pool as KafkajsConnection[]) {
      quietTimers(each.requestQueue);
      if (ownSocket) takeWholeAnswers(each);
    }
    try {
      const broker = new KafkajsBroker({
        connectionPool: pool,
        logger: kafkajsLogger(settings.log),
        allowAutoTopicCreation: false,
      });
      await broker.connect();
      const connection: KafkajsConnection = await pool.getConnection();
      return new KafkaConnection(connection, broker.versions, { settings, where });
    } catch (cause) {
      await pool.destroy();
      const text = cause instanceof Error ? cause.message : String(cause);
      // A refused password stays refused; all else may pass.
      if (cause instanceof Error && cause.name.includes("SASL")) throw cause;
      throw new ConnectionLostError(`Cannot connect to "${where}": ${text}`, { cause });
    }
  }

  /** False once the connection is gone or was closed. */
  get usable(): boolean {
    return !this.#closed && this.#connection.isConnected();
  }

  /**
   * Sends a request and resolves with its answer.
   *
   * @throws {ConnectionLostError} when the connection ends first or no answer comes in time; then the
   * connection is of no use any more.
   */
  async send<T>(message: Message<T>, options: { waitMs?: number } = {}): Promise<T> {
    this.#checkVersion(message);
    try {
      if (this.#settings.sasl !== undefined && !this.#connection.isAuthenticated()) {
        await this.#connection.authenticate();
      }
      const payload = await this.#exchange(message, options.waitMs ?? 0);
      const reader = new ByteReader(payload);
      if (message.flexible) reader.tags();
      return message.read(reader);
    } catch (cause) {
      if (!(cause instanceof Error) || !cause.name.startsWith("KafkaJS")) throw cause;
      this.close();
      throw new ConnectionLostError(
        `Cannot finish ${message.name} with "${this.#where}": ${cause.message}`,
        { cause },
      );
    }
  }

  #checkVersion({ name, key, version }: Message<unknown>): void {
    const range = this.#versions[key];
    if (range === undefined || version < range.minVersion || version > range.maxVersion) {
      const has = range === undefined ? "none" : `${range.minVersion} to ${range.maxVersion}`;
      throw new Error(
        `Cannot send ${name} version ${version} to "${this.#where}": the broker has ${has}`,
      );
    }
  }

  #exchange(message: Message<unknown>, waitMs: number): Promise<Uint8Array> {
    const connection = this.#connection;
    const correlationId = connection.nextCorrelationId();
    const request = this.#frame(message, correlationId);
    return new Promise((resolve, reject) => {
      if (!connection.isConnected()) {
        return reject(new ConnectionLostError(`Cannot send to "${this.#where}": not connected`));
      }
      connection.requestQueue.push({
        entry: {
          apiKey: message.key,
          apiName: message.name,
          apiVersion: message.version,
          correlationId,
          resolve: ({ payload }) => resolve(payload),
          reject,
        },
        expectResponse: true,
        requestTimeout: this.#settings.requestMsMax + waitMs,
        sendRequest: () => {
          for (const piece of request) connection.socket.write(piece);
        },
      });
    });
  }

  /** A request in pieces: large ones are not copied into one. */
  #frame(message: Message<unknown>, correlationId: number): Uint8Array[] {
    const writer = new ByteWriter();
    writer.int32(0); // the size, when it is known
    writer.int16(message.key);
    writer.int16(message.version);
    writer.int32(correlationId);
    writer.int16(this.#clientId.length);
    writer.raw(this.#clientId);
    if (message.flexible) writer.tags();
    message.write(writer);
    const { pieces } = writer;
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0) - 4;
    new DataView(pieces[0]!.buffer).setInt32(0, size);
    return pieces;
  }

  /** Drops the connection; requests under way end with ConnectionLostError. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const lost = new ConnectionLostError(`Cannot finish with "${this.#where}": closed`);
    this.#connection.rejectRequests(lost);
    this.#connection.disconnect().catch(() => {}); // it is gone either way
    this.#connection.socket.destroy();
  }
}
