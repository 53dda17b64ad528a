/** The REST adapter against Iceberg's own REST server. */

import { assertRejects } from "@std/assert";
import { startServices, type TestServices } from "../../tests/support/services.ts";
import { catalogConformance } from "./conformance.ts";
import { CatalogUnreachableError } from "./errors.ts";
import { restCatalog } from "./rest.ts";

let services: TestServices;

Deno.test.beforeAll(async () => {
  services = await startServices({ kafka: false });
});
Deno.test.afterAll(() => services.stop());

catalogConformance("restCatalog", async () => {
  const catalog = restCatalog({ uri: services.catalog });
  const namespace = [`conformance_${crypto.randomUUID().slice(0, 8)}`];
  await catalog.createNamespace(namespace);
  return {
    catalog,
    namespace,
    close: async () => {
      for (const ident of await catalog.listTables(namespace)) await catalog.dropTable(ident);
      await catalog.dropNamespace(namespace);
    },
  };
});

Deno.test("restCatalog: nothing listens there is CatalogUnreachableError, a commit's too", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const catalog = restCatalog({ uri: `http://127.0.0.1:${port}` });
  await assertRejects(() => catalog.listNamespaces(), CatalogUnreachableError);
  await assertRejects(
    () => catalog.commitTable({ namespace: ["a"], name: "t" }, { requirements: [], updates: [] }),
    CatalogUnreachableError,
  );
});
