/**
 * What can go wrong with a catalog, one class per decision its caller takes:
 *
 *     CommitConflictError      refused, the table moved on     → reload, check, try again
 *     CommitStateUnknownError  may or may not have landed      → reload and look for the snapshot; delete nothing
 *     CatalogUnreachableError  never arrived, or a read failed → the same again later
 *     NoSuchTableError, NoSuchNamespaceError, AlreadyExistsError, NamespaceNotEmptyError
 *     NotAuthorizedError       credentials                     → tell the operator
 *     CatalogRequestError      refused for any other reason    → a bug or bad input, never retried
 */

/** The base of all catalog errors. */
export abstract class CatalogError extends Error {
  /** HTTP status, if there was an answer. */
  readonly status: number | undefined;
  constructor(message: string, options: ErrorOptions & { status?: number } = {}) {
    super(message, options);
    this.status = options.status;
  }
}

/** The commit was refused because the table changed: nothing of it was applied. */
export class CommitConflictError extends CatalogError {
  override readonly name = "CommitConflictError";
}

/**
 * The commit may have been applied, or may still be (5xx, timeout, connection lost after sending). Its
 * files must not be deleted: apache/iceberg#12792 lost tables to a clean-up after a 503.
 */
export class CommitStateUnknownError extends CatalogError {
  override readonly name = "CommitStateUnknownError";
}

/** The catalog could not be reached, or failed to answer a request that changes nothing. */
export class CatalogUnreachableError extends CatalogError {
  override readonly name = "CatalogUnreachableError";
}

/** There is no such table. */
export class NoSuchTableError extends CatalogError {
  override readonly name = "NoSuchTableError";
}

/** There is no such namespace. */
export class NoSuchNamespaceError extends CatalogError {
  override readonly name = "NoSuchNamespaceError";
}

/** A table or namespace of that name exists. */
export class AlreadyExistsError extends CatalogError {
  override readonly name = "AlreadyExistsError";
}

/** A namespace with tables in it cannot be dropped. */
export class NamespaceNotEmptyError extends CatalogError {
  override readonly name = "NamespaceNotEmptyError";
}

/** The catalog does not accept the credentials, or they do not allow this. */
export class NotAuthorizedError extends CatalogError {
  override readonly name = "NotAuthorizedError";
}

/** The catalog refused the request for another reason; nothing of it was applied. */
export class CatalogRequestError extends CatalogError {
  override readonly name = "CatalogRequestError";
}

/**
 * True if the error proves that a commit was not applied, so files written for that attempt alone may
 * be deleted at once. False for everything else, above all for CommitStateUnknownError.
 */
export function isDefinitelyRefused(error: unknown): boolean {
  return error instanceof CommitConflictError || error instanceof NoSuchTableError ||
    error instanceof NotAuthorizedError || error instanceof CatalogRequestError ||
    error instanceof AlreadyExistsError || error instanceof NoSuchNamespaceError;
}
