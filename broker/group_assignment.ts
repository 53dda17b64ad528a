/** Who reads which partition of one topic: contiguous ranges over the members in order of instance id. */

/**
 * Kafka's range assignment. Depends on nothing but its arguments, so a member that comes back under
 * its instance id gets the same partitions.
 */
export function assignRanges(
  instanceIds: readonly string[],
  partitions: number,
): Map<string, number[]> {
  const members = [...instanceIds].sort();
  const assignment = new Map<string, number[]>();
  let next = 0;
  members.forEach((member, index) => {
    const size = Math.floor(partitions / members.length) +
      (index < partitions % members.length ? 1 : 0);
    assignment.set(member, Array.from({ length: size }, (_, i) => next + i));
    next += size;
  });
  return assignment;
}

/** What changes between two assignments of one member. */
export function assignmentDelta(
  before: readonly number[],
  after: readonly number[],
): { gained: number[]; lost: number[] } {
  return {
    gained: after.filter((partition) => !before.includes(partition)),
    lost: before.filter((partition) => !after.includes(partition)),
  };
}
