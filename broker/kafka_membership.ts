/**
 * Membership in a classic consumer group under an instance id (KIP-345), of which only the assignment
 * is used: a member that comes back within its session finds its partitions at once, and nobody waits
 * for a ghost. kafkajs knows JoinGroup v5 but never sends an instance id, hence requests of ours.
 *
 * The old owner of a partition may still be at work when the new one is told: writers are fenced by
 * transactional id, so membership need not stop the world.
 */
import { assignmentDelta, assignRanges } from "./group_assignment.ts";
import { type KafkaClient, type NodePool, pause } from "./kafka_client.ts";
import { BrokerRefusalError, CODE, errorKind, refuse } from "./kafka_errors.ts";
import {
  heartbeat,
  type JoinAnswer,
  joinGroup,
  leaveGroup,
  type MemberIdentity,
  syncGroup,
} from "./kafka_messages_group.ts";
import { REBALANCE_MS_MAX, SESSION_TIMEOUT_MS } from "./limits.ts";
import { type AssignmentListener, FencedError, UnreachableError } from "./port.ts";

/** Options of {@linkcode Membership}. */
export interface MembershipOptions {
  group: string;
  topic: string;
  instanceId: string;
  /** @default {15000} */
  sessionTimeoutMs?: number;
}

/** Heartbeats in a session. */
const BEATS = 5;
/** The leader looks for added partitions once in so many heartbeats. */
const BEATS_PER_LOOK = 5;

/** One member of one group. */
export class Membership {
  readonly #client: KafkaClient;
  readonly #pool: NodePool;
  readonly #options: Required<MembershipOptions>;
  readonly #listener: AssignmentListener;
  readonly #stopping = new AbortController();
  #memberId = "";
  #generation = -1;
  /** Partitions that this member, as the leader, gave out; 0 when it is not the leader. */
  #givenOut = 0;
  #owned: readonly number[] = [];
  /** Calls of the listener, one after the other; heartbeats do not wait for them. */
  #told: Promise<void> = Promise.resolve();
  #loop: Promise<void> = Promise.resolve();

  constructor(client: KafkaClient, options: MembershipOptions, listener: AssignmentListener) {
    this.#client = client;
    this.#pool = client.openPool();
    this.#options = { sessionTimeoutMs: SESSION_TIMEOUT_MS, ...options };
    this.#listener = listener;
  }

  /** How this member signs; generation -1 while it is none. */
  get identity(): MemberIdentity {
    const { group, instanceId } = this.#options;
    return { group, generation: this.#generation, memberId: this.#memberId, instanceId };
  }

  /** Joins, and stays until `leave`. Throws UnreachableError when the first join does not come about. */
  async start(): Promise<void> {
    try {
      await this.#join();
    } catch (error) {
      await this.#pool.close();
      throw error;
    }
    this.#loop = this.#stay();
  }

  /** Gives everything back; the others take over at once. */
  async leave(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort(new Error("Cannot go on: the member leaves"));
    await this.#loop;
    this.#assign([]);
    await this.#told;
    if (this.#generation >= 0) {
      const nodeId = await this.#client.coordinator("group", this.#options.group).catch(() => -1);
      // Without an answer the session timeout does it.
      await this.#pool.send(nodeId, leaveGroup(this.identity)).catch(() => {});
      this.#generation = -1;
    }
    await this.#pool.close();
  }

  /** JoinGroup and SyncGroup until a generation holds; then tells the listener what changed. */
  async #join(): Promise<void> {
    const { group, instanceId } = this.#options;
    const action = `join group "${group}" as "${instanceId}"`;
    const coordinator = { type: "group", key: group } as const;
    const { signal } = this.#stopping;
    const partitions = await this.#client.retrying({ action, coordinator, signal }, async () => {
      try {
        return await this.#joinOnce(action);
      } catch (error) {
        if (error instanceof BrokerRefusalError) {
          if (error.code === CODE.unknownMemberId) this.#memberId = "";
          if (error.code === CODE.fencedInstanceId) throw this.#fenced(error);
        }
        throw error;
      }
    });
    this.#assign(partitions);
  }

  async #joinOnce(action: string): Promise<number[]> {
    const { group, topic, instanceId, sessionTimeoutMs } = this.#options;
    const rebalanceTimeoutMs = REBALANCE_MS_MAX;
    const nodeId = await this.#client.coordinator("group", group);
    const wait = { waitMs: rebalanceTimeoutMs + sessionTimeoutMs };
    const joined = await this.#pool.send(
      nodeId,
      joinGroup({
        group,
        memberId: this.#memberId,
        instanceId,
        topic,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
      }),
      wait,
    );
    if (joined.memberId !== "") this.#memberId = joined.memberId;
    refuse(joined.code, action);
    this.#generation = joined.generation;
    const shares = await this.#shares(joined);
    const synced = await this.#pool.send(nodeId, syncGroup(this.identity, topic, shares), wait);
    refuse(synced.code, action);
    return synced.partitions;
  }

  /** As the leader: who gets what. */
  async #shares(joined: JoinAnswer): Promise<Map<string, number[]>> {
    this.#givenOut = 0;
    if (joined.leader !== joined.memberId) return new Map();
    this.#givenOut = await this.#partitions();
    const names = new Map(joined.members.map((m) => [m.instanceId ?? m.memberId, m.memberId]));
    const ranges = assignRanges([...names.keys()], this.#givenOut);
    return new Map([...ranges].map(([name, partitions]) => [names.get(name)!, partitions]));
  }

  async #partitions(): Promise<number> {
    await this.#client.metadata([this.#options.topic]);
    return (await this.#client.topic(this.#options.topic)).leaders.length;
  }

  async #stay(): Promise<void> {
    const { sessionTimeoutMs } = this.#options;
    const { signal } = this.#stopping;
    let contact = performance.now();
    for (let beat = 1; !signal.aborted; beat++) {
      await pause(sessionTimeoutMs / BEATS, signal);
      if (signal.aborted) return;
      try {
        const look = beat % BEATS_PER_LOOK === 0 && this.#givenOut > 0;
        const again = await this.#beat() || (look && await this.#partitions() !== this.#givenOut);
        if (again) await this.#join();
        contact = performance.now();
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof UnreachableError)) return this.#fail(error);
        // The group has given our partitions to others by now.
        if (performance.now() - contact > sessionTimeoutMs) this.#assign([]);
      }
    }
  }

  /** One heartbeat; true when the member has to join again. */
  async #beat(): Promise<boolean> {
    const { group, sessionTimeoutMs } = this.#options;
    const action = `stay in group "${group}"`;
    const { code } = await this.#client.askCoordinator(
      heartbeat(this.identity),
      {
        action,
        coordinator: { type: "group", key: group },
        pool: this.#pool,
        deadlineMs: sessionTimeoutMs / BEATS,
        signal: this.#stopping.signal,
      },
      ({ code }) => {
        if (errorKind(code) === "coordinator") refuse(code, action);
      },
    );
    if (code === CODE.unknownMemberId) {
      this.#memberId = "";
      this.#assign([]);
      return true;
    }
    if (code === CODE.fencedInstanceId) throw this.#fenced(undefined);
    if (errorKind(code) === "member") return true;
    refuse(code, action);
    return false;
  }

  #fenced(cause: unknown): FencedError {
    const { group, instanceId } = this.#options;
    const text = `Cannot stay in group "${group}": another member has taken "${instanceId}"`;
    return new FencedError(text, { cause });
  }

  #assign(partitions: readonly number[]): void {
    const { gained, lost } = assignmentDelta(this.#owned, partitions);
    this.#owned = partitions;
    this.#tell(async () => {
      if (lost.length > 0) await this.#listener.revoked(lost);
      if (gained.length > 0) await this.#listener.assigned(gained);
    });
  }

  #fail(error: unknown): void {
    this.#generation = -1;
    this.#owned = [];
    this.#listener.failed(error instanceof Error ? error : new Error(String(error)));
  }

  /** An error of the listener's own ends the membership: its owner must hear of it. */
  #tell(call: () => Promise<void>): void {
    this.#told = this.#told.then(call).catch((error) => this.#fail(error));
  }
}
