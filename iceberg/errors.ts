/** The one error class of the format layer: what was read or asked for does not fit the spec. */

/**
 * Input that does not fit the spec, or a change that the table's metadata does not allow. Callers
 * decide by it: retrying cannot help.
 */
export class IcebergError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "IcebergError";
  }
}
