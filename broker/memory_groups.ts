/** Groups of the in-process broker: committed offsets, and static membership by instance id. */
import { assignmentDelta, assignRanges } from "./group_assignment.ts";
import { type AssignmentListener, FencedError, type GroupInfo, type GroupOffset } from "./port.ts";

interface Member {
  instanceId: string;
  topic: string;
  listener: AssignmentListener;
  assigned: number[];
}

interface Group {
  offsets: Map<string, GroupOffset>;
  members: Map<string, Member>;
  /** Rebalances run one after the other. */
  rebalancing: Promise<void>;
}

/** All groups of one in-process broker. */
export class MemoryGroups {
  readonly #groups = new Map<string, Group>();
  readonly #partitionsOf: (topic: string) => number;

  constructor(partitionsOf: (topic: string) => number) {
    this.#partitionsOf = partitionsOf;
  }

  #group(name: string): Group {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { offsets: new Map(), members: new Map(), rebalancing: Promise.resolve() };
      this.#groups.set(name, group);
    }
    return group;
  }

  commit(name: string, offsets: readonly GroupOffset[]): void {
    const group = this.#group(name);
    for (const offset of offsets) {
      group.offsets.set(`${offset.topic}/${offset.partition}`, { ...offset });
    }
  }

  committed(name: string, topic: string): GroupOffset[] {
    const group = this.#groups.get(name);
    return Array.from({ length: this.#partitionsOf(topic) }, (_, partition) => {
      const known = group?.offsets.get(`${topic}/${partition}`);
      return known === undefined ? { topic, partition, offset: -1 } : { ...known };
    });
  }

  describe(name: string): GroupInfo {
    const group = this.#groups.get(name);
    if (group === undefined) return { group: name, state: "Dead", members: [] };
    const members = [...group.members.values()].map((member) => ({
      memberId: member.instanceId,
      clientId: member.instanceId,
      host: "memory",
    }));
    return { group: name, state: members.length > 0 ? "Stable" : "Empty", members };
  }

  /** Joins; a member with the same instance id is replaced and hears that it was fenced. */
  async join(
    options: { group: string; topic: string; instanceId: string },
    listener: AssignmentListener,
  ): Promise<{ leave(): Promise<void> }> {
    const { topic, instanceId } = options;
    const group = this.#group(options.group);
    const replaced = group.members.get(instanceId);
    const member: Member = { instanceId, topic, listener, assigned: [] };
    group.members.set(instanceId, member);
    replaced?.listener.failed(
      new FencedError(`Cannot stay in group "${options.group}": "${instanceId}" joined anew`),
    );
    await this.#rebalance(group);
    return {
      leave: async () => {
        if (group.members.get(instanceId) !== member) return;
        group.members.delete(instanceId);
        await listener.revoked(member.assigned);
        await this.#rebalance(group);
      },
    };
  }

  /** Ends a member's session by timeout: the others take over, then it joins again by itself. */
  async expire(name: string, instanceId: string): Promise<void> {
    const group = this.#group(name);
    const member = group.members.get(instanceId);
    if (member === undefined) throw new Error(`Cannot expire "${instanceId}": no such member`);
    group.members.delete(instanceId);
    await this.#rebalance(group);
    await member.listener.revoked(member.assigned);
    member.assigned = [];
    group.members.set(instanceId, member);
    await this.#rebalance(group);
  }

  #rebalance(group: Group): Promise<void> {
    group.rebalancing = group.rebalancing.then(async () => {
      const members = [...group.members.values()];
      const changes = members.map((member) => {
        const peers = members.filter((peer) => peer.topic === member.topic);
        const next = assignRanges(
          peers.map((peer) => peer.instanceId),
          this.#partitionsOf(member.topic),
        ).get(member.instanceId)!;
        const delta = assignmentDelta(member.assigned, next);
        member.assigned = next;
        return { member, ...delta };
      });
      for (const { member, lost } of changes) {
        if (lost.length > 0) await member.listener.revoked(lost);
      }
      for (const { member, gained } of changes) {
        if (gained.length > 0) await member.listener.assigned(gained);
      }
    });
    return group.rebalancing;
  }
}
