/** What is wrong besides single records and rows: positions, rule sets, snapshots, files. Pure. */
import { AUDITED_TABLES } from "./facts.ts";
import type { LoadedTable } from "./load_tables.ts";
import { type Finding, type Offender, OFFENDERS_MAX } from "./report.ts";
import type { TableFiles } from "./table_files.ts";
import type { AuditView, PartitionView } from "./view.ts";

function finding(kind: string, offenders: readonly Offender[]): Finding[] {
  if (offenders.length === 0) return [];
  return [{
    kind,
    excused: false,
    count: offenders.length,
    offenders: offenders.slice(0, OFFENDERS_MAX),
  }];
}

function offender(at: string, detail: string): Offender {
  return { at, trace: undefined, transactionId: undefined, rule: undefined, detail };
}

/** Positions that do not fit the raw log, and rule sets that were changed after they were stored. */
export function partitionFindings(view: AuditView, rawTopic: string): Finding[] {
  const positions = view.partitions.flatMap((one) => {
    const detail = positionProblem(view, one);
    return detail === undefined ? [] : [offender(`${rawTopic}/${one.partition}`, detail)];
  });
  const sets = view.partitions.flatMap(({ partition, changelog }) =>
    changelog.ruleSets.filter(({ problem }) => problem?.includes("changed") === true)
      .map(({ version, problem }) =>
        offender(`${rawTopic}/${partition}`, `rule set ${version}: ${problem}`)
      )
  );
  return [...finding("position outside of the log", positions), ...finding("rule set", sets)];
}

function positionProblem(
  { clusterId, rawTopicId }: AuditView,
  { changelog, logStart, end }: PartitionView,
): string | undefined {
  const { position } = changelog;
  if (position === undefined) return undefined;
  if (position.clusterId !== clusterId) {
    return `its position is of cluster ${position.clusterId}, this is ${clusterId}`;
  }
  if (position.topicId !== rawTopicId) {
    return `its position is of topic id ${position.topicId}, now it is ${rawTopicId}`;
  }
  if (position.next < logStart) {
    return `offsets ${position.next} to ${logStart - 1} have expired before they were judged`;
  }
  return position.next > end
    ? `its position is ${position.next}, the log ends at ${end}: it has lost its tail`
    : undefined;
}

/** Snapshots whose offsets do not follow from one another. */
export function historyFindings({ histories }: AuditView, namespace: string): Finding[] {
  return AUDITED_TABLES.flatMap((table) =>
    finding(
      `offsets in snapshots (${table})`,
      (histories.get(table)?.problems ?? []).map(({ snapshotId, partition, detail }) => {
        const place = snapshotId === undefined ? "table property" : `snapshot ${snapshotId}`;
        const where = partition === undefined ? "" : `, partition ${partition}`;
        return offender(`${namespace}.${table} ${place}${where}`, detail);
      }),
    )
  );
}

/** Files that are gone or cannot be read. */
export function fileFindings(
  tables: readonly {
    name: string;
    files: TableFiles | undefined;
    loaded: LoadedTable | undefined;
  }[],
  namespace: string,
): Finding[] {
  return tables.flatMap(({ name, files, loaded }) => {
    const place = `${namespace}.${name}`;
    const missing = (files?.missing ?? []).map((location) =>
      offender(place, `${location} is gone, but the table refers to it`)
    );
    const unreadable = (loaded?.unreadable ?? []).map(({ location, reason }) =>
      offender(place, `${location} cannot be read: ${reason}`)
    );
    return [
      ...finding(`file missing (${name})`, missing),
      ...finding(`file unreadable (${name})`, unreadable),
    ];
  });
}
