/** Groups through the Kafka adapter: mirrored offsets, descriptions, memberships. */
import type { KafkaClient } from "./kafka_client.ts";
import { refuse } from "./kafka_errors.ts";
import { Membership, type MembershipOptions } from "./kafka_membership.ts";
import {
  describeGroups,
  type MemberIdentity,
  offsetCommit,
  offsetFetch,
} from "./kafka_messages_group.ts";
import type { AssignmentListener, GroupInfo, GroupOffset } from "./port.ts";

/** The group calls of one client, which may be a member of some groups itself. */
export class KafkaGroups {
  readonly #client: KafkaClient;
  readonly #memberships = new Map<string, Membership>();

  constructor(client: KafkaClient) {
    this.#client = client;
  }

  /** A group with members takes offsets from those only, so a member signs as one. */
  #identity(group: string): MemberIdentity {
    const member = this.#memberships.get(group)?.identity;
    if (member !== undefined && member.generation >= 0) return member;
    return { group, generation: -1, memberId: "", instanceId: null };
  }

  /** See {@linkcode Broker.commitGroupOffsets}. */
  async commit(group: string, offsets: readonly GroupOffset[]): Promise<void> {
    const action = `commit offsets of group "${group}"`;
    const coordinator = { type: "group", key: group } as const;
    await this.#client.retrying({ action, coordinator }, async () => {
      const nodeId = await this.#client.coordinator("group", group);
      const message = offsetCommit(this.#identity(group), offsets);
      for (const { code } of await this.#client.control.send(nodeId, message)) {
        refuse(code, action);
      }
    });
  }

  /** See {@linkcode Broker.groupOffsets}. */
  async committed(group: string, topic: string): Promise<GroupOffset[]> {
    const action = `ask for the offsets of group "${group}"`;
    const { leaders } = await this.#client.retrying(
      { action },
      () => this.#client.topic(topic),
    );
    const { offsets } = await this.#client.askCoordinator(
      offsetFetch(group, topic, leaders.length),
      { action, coordinator: { type: "group", key: group } },
      ({ code }) => refuse(code, action),
    );
    return offsets.toSorted((a, b) => a.partition - b.partition);
  }

  /** See {@linkcode Broker.groups}. */
  async describe(names: readonly string[]): Promise<GroupInfo[]> {
    return await Promise.all(names.map(async (group) => {
      const action = `describe group "${group}"`;
      const [found] = await this.#client.askCoordinator(
        describeGroups([group]),
        { action, coordinator: { type: "group", key: group } },
        (answers) => refuse(answers[0]?.code ?? -1, action),
      );
      const { state, members } = found!;
      return { group, state, members };
    }));
  }

  /** See {@linkcode Broker.joinGroup}. */
  async join(
    options: MembershipOptions,
    listener: AssignmentListener,
  ): Promise<{ leave(): Promise<void> }> {
    const membership = new Membership(this.#client, options, listener);
    await membership.start();
    this.#memberships.set(options.group, membership);
    return {
      leave: async () => {
        await membership.leave();
        if (this.#memberships.get(options.group) === membership) {
          this.#memberships.delete(options.group);
        }
      },
    };
  }

  /** Leaves all groups. */
  async close(): Promise<void> {
    await Promise.all([...this.#memberships.values()].map((membership) => membership.leave()));
  }
}
