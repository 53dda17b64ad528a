/** What PyIceberg sees in a table, through the REST catalog. */
import { runPython } from "./python.ts";

const COUNT = `
import sys
from pyiceberg.catalog.rest import RestCatalog
catalog = RestCatalog("judge", uri=sys.argv[1])
print(catalog.load_table(sys.argv[2]).scan().to_arrow().num_rows)
`;

/** Rows of the current snapshot, counted by reading every data file. */
export async function icebergRows(catalogUri: string, table: string): Promise<number> {
  return Number(await runPython(COUNT, [catalogUri, table]));
}
