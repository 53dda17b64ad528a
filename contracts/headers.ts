/** Record headers of the pipeline's topics (design section 3). */

/** On every record: the layout of its value. */
export const HEADER_SCHEMA_VERSION = "schema_version";

/** On the processor's outputs: the raw record that it came from. */
export const HEADER_TRACE = "trace";

/** On generated raw records: ground truth of what was injected. Never part of the value. */
export const HEADER_INJECTED = "injected";
