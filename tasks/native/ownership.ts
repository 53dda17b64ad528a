/** Which services `up` starts, and which are the user's own, named by address. */
import type { Place } from "./place.ts";

/** True when Kafka is one that `up` starts, not an address of the user's. */
export function runsKafka(place: Place): boolean {
  return (place.environment.kafkaBrokers ?? place.pipeline.kafka.brokers) === undefined;
}

/** True when the catalog is one that `up` starts. */
export function runsCatalog(place: Place): boolean {
  return (place.environment.catalogUri ?? place.pipeline.catalog.uri) === undefined;
}

/** True when any Java program is ours to run. */
export function ownsJava(place: Place): boolean {
  return runsKafka(place) || runsCatalog(place);
}
