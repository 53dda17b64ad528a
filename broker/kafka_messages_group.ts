/** Requests about groups: offsets, descriptions, and classic membership with instance ids (KIP-345). */
import type { Message } from "./kafka_connection.ts";
import { byTopic } from "./kafka_messages_data.ts";
import type { GroupInfo, GroupOffset } from "./port.ts";
import { ByteReader, ByteWriter } from "./wire.ts";

/** Who speaks in a group; outside it generation -1 and an empty member id. */
export interface MemberIdentity {
  group: string;
  generation: number;
  memberId: string;
  instanceId: string | null;
}

/** OffsetCommit v7. */
export function offsetCommit(
  member: MemberIdentity,
  offsets: readonly GroupOffset[],
): Message<{ code: number }[]> {
  return {
    name: "OffsetCommit",
    key: 8,
    version: 7,
    write(w) {
      writeMember(w, member);
      w.array(byTopic(offsets), ([topic, of]) => {
        w.string(topic);
        w.array(of, ({ partition, offset, metadata }) => {
          w.int32(partition);
          w.int64(offset);
          w.int32(-1); // leader epoch: unknown
          w.string(metadata ?? null);
        });
      });
    },
    read(r) {
      r.int32(); // throttle
      const topics = r.array(() => {
        r.string(); // topic
        return r.array(() => {
          r.int32(); // partition
          return { code: r.int16() };
        });
      });
      return topics.flat();
    },
  };
}

function writeMember(w: ByteWriter, member: MemberIdentity): void {
  w.string(member.group);
  w.int32(member.generation);
  w.string(member.memberId);
  w.string(member.instanceId);
}

/** OffsetFetch v5 of all partitions of one topic. */
export function offsetFetch(
  group: string,
  topic: string,
  partitions: number,
): Message<{ code: number; offsets: GroupOffset[] }> {
  return {
    name: "OffsetFetch",
    key: 9,
    version: 5,
    write(w) {
      w.string(group);
      w.array([topic], (name) => {
        w.string(name);
        w.array(Array.from({ length: partitions }, (_, i) => i), (partition) => w.int32(partition));
      });
    },
    read(r) {
      r.int32(); // throttle
      let code = 0;
      const offsets = r.array(() => {
        const name = r.string();
        return r.array(() => {
          const [partition, offset] = [r.int32(), r.int64()];
          r.int32(); // leader epoch
          const note = r.nullableString();
          code = r.int16() || code;
          const known = { topic: name, partition, offset };
          return note === null || note === "" ? known : { ...known, metadata: note };
        });
      });
      return { code: r.int16() || code, offsets: offsets.flat() };
    },
  };
}

/** DescribeGroups v4. */
export function describeGroups(
  groups: readonly string[],
): Message<(GroupInfo & { code: number })[]> {
  return {
    name: "DescribeGroups",
    key: 15,
    version: 4,
    write(w) {
      w.array(groups, (group) => w.string(group));
      w.bool(false); // include authorized operations
    },
    read(r) {
      r.int32(); // throttle
      return r.array(() => {
        const [code, group, state] = [r.int16(), r.string(), r.string()];
        r.string(); // protocol type
        r.string(); // protocol
        const members = r.array(() => {
          const memberId = r.string();
          r.nullableString(); // instance id
          const member = { memberId, clientId: r.string(), host: r.string() };
          r.bytes(); // subscription
          r.bytes(); // assignment
          return member;
        });
        r.int32(); // authorized operations
        return { code, group, state, members };
      });
    },
  };
}

/** A member as its leader sees it. */
export interface JoinedMember {
  memberId: string;
  instanceId: string | null;
}

/** The answer to a join. */
export interface JoinAnswer {
  code: number;
  generation: number;
  leader: string;
  memberId: string;
  /** All members, for the leader; else empty. */
  members: JoinedMember[];
}

/** Name of the assignment protocol: contiguous ranges, like Java's RangeAssignor. */
const PROTOCOL = "range";

/** JoinGroup v5, subscribing to one topic. */
export function joinGroup(
  options: {
    group: string;
    memberId: string;
    instanceId: string;
    topic: string;
    sessionTimeoutMs: number;
    rebalanceTimeoutMs: number;
  },
): Message<JoinAnswer> {
  return {
    name: "JoinGroup",
    key: 11,
    version: 5,
    write(w) {
      w.string(options.group);
      w.int32(options.sessionTimeoutMs);
      w.int32(options.rebalanceTimeoutMs);
      w.string(options.memberId);
      w.string(options.instanceId);
      w.string("consumer");
      w.array([PROTOCOL], (name) => {
        w.string(name);
        w.bytes(subscription(options.topic));
      });
    },
    read(r) {
      r.int32(); // throttle
      const [code, generation] = [r.int16(), r.int32()];
      r.nullableString(); // protocol
      const [leader, memberId] = [r.string(), r.string()];
      const members = r.array(() => {
        const member = { memberId: r.string(), instanceId: r.nullableString() };
        r.bytes(); // subscription: all members are ours and read the same topic
        return member;
      });
      return { code, generation, leader, memberId, members };
    },
  };
}

/** ConsumerProtocolSubscription v0. */
function subscription(topic: string): Uint8Array {
  const w = new ByteWriter();
  w.int16(0);
  w.array([topic], (name) => w.string(name));
  w.int32(-1); // user data
  return w.written;
}

/** SyncGroup v3. Only the leader gives assignments. */
export function syncGroup(
  member: MemberIdentity,
  topic: string,
  assignments: ReadonlyMap<string, readonly number[]>,
): Message<{ code: number; partitions: number[] }> {
  return {
    name: "SyncGroup",
    key: 14,
    version: 3,
    write(w) {
      writeMember(w, member);
      w.array([...assignments], ([memberId, partitions]) => {
        w.string(memberId);
        w.bytes(assignment(topic, partitions));
      });
    },
    read(r) {
      r.int32(); // throttle
      const code = r.int16();
      const bytes = r.bytes();
      return { code, partitions: bytes.length === 0 ? [] : assignedPartitions(bytes) };
    },
  };
}

/** ConsumerProtocolAssignment v0. */
function assignment(topic: string, partitions: readonly number[]): Uint8Array {
  const w = new ByteWriter();
  w.int16(0);
  w.array([topic], (name) => {
    w.string(name);
    w.array(partitions, (partition) => w.int32(partition));
  });
  w.int32(-1); // user data
  return w.written;
}

function assignedPartitions(bytes: Uint8Array): number[] {
  const r = new ByteReader(bytes);
  r.int16(); // version
  const topics = r.array(() => {
    r.string(); // topic: there is only the one
    return r.array(() => r.int32());
  });
  return topics.flat();
}

/** Heartbeat v3. */
export function heartbeat(member: MemberIdentity): Message<{ code: number }> {
  return {
    name: "Heartbeat",
    key: 12,
    version: 3,
    write: (w) => writeMember(w, member),
    read(r) {
      r.int32(); // throttle
      return { code: r.int16() };
    },
  };
}

/** LeaveGroup v3. */
export function leaveGroup(member: MemberIdentity): Message<{ code: number }> {
  return {
    name: "LeaveGroup",
    key: 13,
    version: 3,
    write(w) {
      w.string(member.group);
      w.array([member], ({ memberId, instanceId }) => {
        w.string(memberId);
        w.string(instanceId);
      });
    },
    read(r) {
      r.int32(); // throttle
      return { code: r.int16() };
    },
  };
}
