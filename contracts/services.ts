/** The five services of a pipeline, their ports and how they depend on one another (design section 8). */

/** Name of a service, in start order: each needs those before it. */
export const SERVICE_NAMES = ["kafka", "catalog", "generator", "processor", "sink"] as const;

/** One of {@linkcode SERVICE_NAMES}. */
export type ServiceName = typeof SERVICE_NAMES[number];

/** The services that are programs of this repository. */
export const STAGE_NAMES = ["generator", "processor", "sink"] as const;

/** One of {@linkcode STAGE_NAMES}. */
export type StageName = typeof STAGE_NAMES[number];

/** TCP ports on 127.0.0.1 before `PIPELINE_PORT_OFFSET` is added. */
export const BASE_PORTS = {
  kafka: 9092,
  kafkaController: 9093,
  catalog: 8181,
  generator: 7071,
  processor: 7072,
  sink: 7073,
} as const;

/** Key of {@linkcode BASE_PORTS}. */
export type PortName = keyof typeof BASE_PORTS;

/** Version of every record, document and state layout that the pipeline writes. */
export const SCHEMA_VERSION = "1";

/** The Iceberg namespace of all tables. */
export const NAMESPACE = "finance";

/** Consumer groups under which positions are mirrored for lag tools. */
export const GROUPS = { processor: "processor", sink: "sink" } as const;
