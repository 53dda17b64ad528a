/** The broker port, its two adapters, and where a key goes. */
export * from "./port.ts";
export { createKafkaBroker, type KafkaLog, type KafkaOptions } from "./kafka.ts";
export { createMemoryBroker, type MemoryBroker, type MemoryBrokerOptions } from "./memory.ts";
export type { Fault, FaultPoint, FaultSpec } from "./memory_faults.ts";
export { murmur2, partitionOf } from "./murmur2.ts";
