/**
 * What every part of the Kafka adapter shares: who leads what, which node coordinates what, connections
 * by node, and one way to retry. Knows nothing of records.
 */
import {
  type Address,
  type Answers,
  type ConnectionSettings,
  KafkaConnection,
  type Message,
} from "./kafka_connection.ts";
import {
  BrokerRefusalError,
  CODE,
  ConnectionLostError,
  errorKind,
  isRetriable,
  portError,
  refuse,
} from "./kafka_errors.ts";
import {
  type ClusterMetadata,
  type CoordinatorType,
  findCoordinator,
  metadata,
  type TopicMetadata,
} from "./kafka_messages_cluster.ts";
import { RETRY_MS_FIRST, RETRY_MS_MAX } from "./limits.ts";
import { UnknownTopicError, UnreachableError } from "./port.ts";

/** Settings of a {@linkcode KafkaClient}. */
export interface ClientSettings extends ConnectionSettings {
  /** Where to ask first. */
  bootstrap: readonly Address[];
  /** Where to connect instead of an address that the cluster advertises. */
  route: (advertised: Address) => Address;
  /** How long an operation is retried before UnreachableError. */
  deadlineMs: number;
}

/** How an operation is retried. */
export interface RetryOptions {
  /** For the error: "Cannot <action>: …". */
  action: string;
  /** Topics whose leaders are looked up anew where one was wrong. */
  topics?: readonly string[];
  /** The coordinator that is looked up anew where it was wrong. */
  coordinator?: { type: CoordinatorType; key: string };
  /** @default the client's */
  deadlineMs?: number;
  /** False where asking twice is not the same as asking once. @default {true} */
  retryLost?: boolean;
  signal?: AbortSignal | undefined;
}

/** Resolves after `ms`, or at once when the signal aborts. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}

/** Connections by node id, opened on first use. Its owner's requests queue behind nobody else's. */
export class NodePool {
  readonly #client: KafkaClient;
  readonly #answers: Answers;
  readonly #connections = new Map<number, Promise<KafkaConnection>>();
  #closed = false;

  constructor(client: KafkaClient, answers: Answers) {
    this.#client = client;
    this.#answers = answers;
  }

  /** The connection to a node. Throws ConnectionLostError. */
  async connection(nodeId: number): Promise<KafkaConnection> {
    if (this.#closed) throw new Error(`Cannot connect to node "${nodeId}": closed`);
    const known = this.#connections.get(nodeId);
    if (known !== undefined) {
      const connection = await known;
      if (connection.usable) return connection;
    }
    // Another caller may have replaced it while we waited.
    const current = this.#connections.get(nodeId);
    if (current !== undefined && current !== known) return await current;
    const opening = this.#client.connect(nodeId, this.#answers);
    this.#connections.set(nodeId, opening);
    try {
      const opened = await opening;
      if (this.#closed) opened.close();
      return opened;
    } catch (error) {
      if (this.#connections.get(nodeId) === opening) this.#connections.delete(nodeId);
      throw error;
    }
  }

  /** Sends to a node. Throws ConnectionLostError. */
  async send<T>(nodeId: number, message: Message<T>, options?: { waitMs?: number }): Promise<T> {
    const connection = await this.connection(nodeId);
    return await connection.send(message, options);
  }

  /** Drops all connections. */
  async close(): Promise<void> {
    this.#closed = true;
    const opened = await Promise.allSettled(this.#connections.values());
    for (const result of opened) if (result.status === "fulfilled") result.value.close();
    this.#connections.clear();
    this.#client.forgetPool(this);
  }
}

/** See the top of this file. */
export class KafkaClient {
  readonly #settings: ClientSettings;
  readonly #nodes = new Map<number, Address>();
  readonly #topics = new Map<string, TopicMetadata>();
  readonly #coordinators = new Map<string, number>();
  readonly #pools = new Set<NodePool>();
  /** The connection for metadata; replaced when it is lost. */
  #seed: Promise<KafkaConnection> | undefined;
  #seedTurn = 0;
  readonly control: NodePool;

  constructor(settings: ClientSettings) {
    this.#settings = settings;
    this.control = this.openPool();
  }

  get deadlineMs(): number {
    return this.#settings.deadlineMs;
  }

  /** How long one request may take. */
  get requestMsMax(): number {
    return this.#settings.requestMsMax;
  }

  openPool(answers: Answers = "fresh"): NodePool {
    const pool = new NodePool(this, answers);
    this.#pools.add(pool);
    return pool;
  }

  forgetPool(pool: NodePool): void {
    this.#pools.delete(pool);
  }

  /** A new connection to a node that metadata named. */
  async connect(nodeId: number, answers: Answers = "fresh"): Promise<KafkaConnection> {
    const address = this.#nodes.get(nodeId);
    if (address === undefined) {
      throw new ConnectionLostError(
        `Cannot connect to node "${nodeId}": metadata does not name it`,
      );
    }
    return await KafkaConnection.open(this.#settings.route(address), this.#settings, answers);
  }

  /** Asks for metadata of `topics` (none is fine: nodes and cluster id), and remembers it. */
  async metadata(topics: readonly string[]): Promise<ClusterMetadata> {
    const seed = await this.#seedConnection();
    const answer = await seed.send(metadata(topics));
    for (const { id, host, port } of answer.nodes) this.#nodes.set(id, { host, port });
    for (const topic of answer.topics) {
      if (topic.code === 0) this.#topics.set(topic.name, topic);
      else this.#topics.delete(topic.name);
    }
    return answer;
  }

  async #seedConnection(): Promise<KafkaConnection> {
    const known = this.#seed;
    if (known !== undefined) {
      const connection = await known.catch(() => undefined);
      if (connection?.usable) return connection;
      if (this.#seed !== known) return await this.#seedConnection(); // replaced meanwhile
    }
    this.#seed = this.#openSeed();
    return await this.#seed;
  }

  /** The next of the addresses we know that answers. */
  async #openSeed(): Promise<KafkaConnection> {
    const { bootstrap, route } = this.#settings;
    const addresses = [...bootstrap, ...Array.from(this.#nodes.values(), route)];
    let last: unknown;
    for (let i = 0; i < addresses.length; i++) {
      const address = addresses[this.#seedTurn++ % addresses.length]!;
      try {
        return await KafkaConnection.open(address, this.#settings);
      } catch (error) {
        if (!(error instanceof ConnectionLostError)) throw error;
        last = error;
      }
    }
    throw last;
  }

  /** Metadata of one topic, from memory where it is there. Throws UnknownTopicError. */
  async topic(name: string): Promise<TopicMetadata> {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const answer = await this.metadata([name]);
    const topic = answer.topics.find((each) => each.name === name);
    if (topic === undefined || topic.code === CODE.unknownTopicOrPartition) {
      throw new UnknownTopicError(`Cannot find topic "${name}"`);
    }
    refuse(topic.code, `describe topic "${name}"`);
    return topic;
  }

  /** Node id of a partition's leader. Throws UnknownTopicError; BrokerRefusalError while there is none. */
  async leaderOf(name: string, partition: number): Promise<number> {
    let topic = await this.topic(name);
    if (topic.leaders[partition] === undefined) {
      this.#topics.delete(name); // it may have grown
      topic = await this.topic(name);
    }
    const leader = topic.leaders[partition];
    if (leader === undefined) {
      throw new UnknownTopicError(`Cannot find partition "${name}/${partition}"`);
    }
    if (leader < 0) throw new BrokerRefusalError(5, `find the leader of "${name}/${partition}"`);
    return leader;
  }

  /** Node id of a coordinator. Throws BrokerRefusalError while there is none. */
  async coordinator(type: CoordinatorType, key: string): Promise<number> {
    const known = this.#coordinators.get(`${type}:${key}`);
    if (known !== undefined) return known;
    const seed = await this.#seedConnection();
    const { code, node } = await seed.send(findCoordinator(type, key));
    refuse(code, `find the ${type} coordinator of "${key}"`);
    this.#nodes.set(node.id, { host: node.host, port: node.port });
    this.#coordinators.set(`${type}:${key}`, node.id);
    return node.id;
  }

  /**
   * Runs `attempt` until it succeeds or fails for good, with growing pauses between.
   *
   * @throws {UnreachableError} when the deadline passes, with the last reason as its cause; at the first
   * lost connection where `retryLost` is false.
   */
  async retrying<T>(options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
    const { action, deadlineMs = this.deadlineMs, retryLost = true, signal } = options;
    const deadline = performance.now() + deadlineMs;
    let pauseMs = RETRY_MS_FIRST;
    while (true) {
      signal?.throwIfAborted();
      let reason: unknown;
      try {
        return await attempt();
      } catch (error) {
        if (!this.#mayRetry(error, options)) throw portError(error);
        reason = error;
      }
      const lost = reason instanceof ConnectionLostError;
      if ((lost && !retryLost) || performance.now() + pauseMs > deadline) {
        const text = reason instanceof Error ? reason.message : String(reason);
        throw new UnreachableError(`Cannot ${action}: ${text}`, { cause: reason });
      }
      await pause(pauseMs, signal);
      pauseMs = Math.min(pauseMs * 2, RETRY_MS_MAX);
    }
  }

  /** Forgets what the error proves wrong; false where it is final. */
  #mayRetry(error: unknown, { topics = [], coordinator }: RetryOptions): boolean {
    const kind = error instanceof BrokerRefusalError ? errorKind(error.code) : undefined;
    const lost = error instanceof ConnectionLostError;
    if (lost || kind === "leader") { for (const topic of topics) this.#topics.delete(topic); }
    if ((lost || kind === "coordinator") && coordinator !== undefined) {
      this.#coordinators.delete(`${coordinator.type}:${coordinator.key}`);
    }
    return isRetriable(error);
  }

  /** Asks a coordinator, with retries. `check` throws where the answer is a refusal. */
  askCoordinator<T>(
    message: Message<T>,
    options: RetryOptions & {
      coordinator: { type: CoordinatorType; key: string };
      pool?: NodePool;
      waitMs?: number;
    },
    check: (answer: T) => void,
  ): Promise<T> {
    const { pool = this.control, coordinator, waitMs = 0 } = options;
    return this.retrying(options, async () => {
      const nodeId = await this.coordinator(coordinator.type, coordinator.key);
      const answer = await pool.send(nodeId, message, { waitMs });
      check(answer);
      return answer;
    });
  }

  /** Drops every connection of every part of the adapter. */
  async close(): Promise<void> {
    await Promise.all([...this.#pools].map((pool) => pool.close()));
    (await this.#seed?.catch(() => undefined))?.close();
  }
}
