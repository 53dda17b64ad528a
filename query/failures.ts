/** What went wrong, for people: which errors are an answer, which say that something cannot be reached. */
import { ServiceUnreachableError } from "../contracts/errors.ts";
import {
  CatalogError,
  CatalogUnreachableError,
  NoSuchNamespaceError,
  NoSuchTableError,
} from "../iceberg/catalog/errors.ts";
import { IcebergError } from "../iceberg/errors.ts";
import { NoSuchFileError, StorageError, UnsafeLocationError } from "../iceberg/storage/port.ts";

/** The query failed; the message is the whole story. Exit 1. */
export class QueryFailedError extends Error {
  override readonly name = "QueryFailedError";
}

const FILE_GONE = "it may have been compacted away while the query ran; ask again";

/** DuckDB throws plain errors that begin with their kind. */
function duckDbKind(error: Error): string | undefined {
  return /^([A-Z][A-Za-z -]+) Error: /.exec(error.message)?.[1];
}

/** The error that a task ends with: an error of a known kind told in a sentence, any other as it is. */
export function explainFailure(error: unknown, catalogUri: string): unknown {
  if (!(error instanceof Error)) return error;
  const cause = { cause: error };
  if (error instanceof CatalogUnreachableError) {
    return new ServiceUnreachableError(
      "catalog",
      `Cannot reach the catalog at "${catalogUri}": ${error.message}; is the pipeline up? ` +
        `(deno task up)`,
      cause,
    );
  }
  if (error instanceof NoSuchTableError || error instanceof NoSuchNamespaceError) {
    return new QueryFailedError(`${error.message}; the sink creates it when it starts`, cause);
  }
  if (error instanceof NoSuchFileError) {
    return new ServiceUnreachableError("storage", `${error.message}; ${FILE_GONE}`, cause);
  }
  if (error instanceof StorageError || error instanceof UnsafeLocationError) {
    return new ServiceUnreachableError("storage", error.message, cause);
  }
  const kind = duckDbKind(error);
  // The lock turns the search for a planned file that is not there into a refusal; other files are not planned.
  const [, missing] =
    /^Permission Error: Cannot access file "(.*?)(?:\/\*\*\/.*)?"/.exec(error.message) ?? [];
  if (missing !== undefined) {
    const message = `Cannot read data file "${missing}": there is no such file; ${FILE_GONE}`;
    return new ServiceUnreachableError("storage", message, cause);
  }
  if (kind === "IO") {
    const gone = /No files found|Cannot open file/.test(error.message) ? `; ${FILE_GONE}` : "";
    return new ServiceUnreachableError("storage", error.message + gone, cause);
  }
  if (kind !== undefined || error instanceof IcebergError || error instanceof CatalogError) {
    return new QueryFailedError(error.message, cause);
  }
  return error;
}
