import { assertEquals, assertRejects } from "@std/assert";
import { storageConformance } from "./conformance.ts";
import { localStorage } from "./local.ts";
import { UnsafeLocationError } from "./port.ts";

for (const [name, prefix] of [["a path", ""], ["file:/", "file:"], ["file:///", "file://"]]) {
  storageConformance(`localStorage by ${name}`, async () => {
    const parent = await Deno.makeTempDir({ prefix: "iceberg-storage-" });
    const root = `${parent}/top`;
    await Deno.mkdir(root);
    return {
      storage: localStorage({ roots: [root] }),
      root: prefix + root,
      close: () => Deno.remove(parent, { recursive: true }),
    };
  });
}

Deno.test("localStorage does not follow a symbolic link out of its root", async () => {
  const parent = await Deno.makeTempDir({ prefix: "iceberg-storage-" });
  try {
    const root = `${parent}/top`;
    await Deno.mkdir(root);
    await Deno.mkdir(`${parent}/secret`);
    await Deno.writeTextFile(`${parent}/secret/file`, "secret");
    await Deno.symlink(`${parent}/secret`, `${root}/door`);
    await Deno.symlink(`${parent}/secret/new`, `${root}/dangling`);
    const storage = localStorage({ roots: [root] });
    const bytes = new Uint8Array([1]);
    await assertRejects(() => storage.read(`${root}/door/file`), UnsafeLocationError);
    await assertRejects(() => storage.create(`${root}/door/x`, bytes), UnsafeLocationError);
    await assertRejects(() => storage.create(`${root}/dangling`, bytes), UnsafeLocationError);
    await assertRejects(() => storage.remove(`${root}/door/file`), UnsafeLocationError);
    assertEquals(await Array.fromAsync(storage.list(root)), []);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});

Deno.test("localStorage serves a root that is itself reached by a link", async () => {
  const parent = await Deno.makeTempDir({ prefix: "iceberg-storage-" });
  try {
    await Deno.mkdir(`${parent}/real`);
    await Deno.symlink(`${parent}/real`, `${parent}/top`);
    const storage = localStorage({ roots: [`${parent}/top`] });
    await storage.create(`${parent}/top/a/b`, new Uint8Array([7]));
    assertEquals(await storage.read(`file:${parent}/top/a/b`), new Uint8Array([7]));
    assertEquals((await Array.fromAsync(Deno.readDir(`${parent}/real/a`))).length, 1);
    // The link may be moved while the storage is open: to another disk, say.
    await Deno.rename(`${parent}/real`, `${parent}/moved`);
    await Deno.remove(`${parent}/top`);
    await Deno.symlink(`${parent}/moved`, `${parent}/top`);
    assertEquals(await storage.read(`file:${parent}/top/a/b`), new Uint8Array([7]));
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});

Deno.test("localStorage makes a root that is not there yet", async () => {
  const parent = await Deno.makeTempDir({ prefix: "iceberg-storage-" });
  try {
    const root = `${parent}/new/top`;
    const storage = localStorage({ roots: [root] });
    assertEquals(await storage.stat(`${root}/a`), undefined);
    assertEquals(await Array.fromAsync(storage.list(root)), []);
    await storage.create(`${root}/a/b`, new Uint8Array([7]));
    assertEquals(await storage.read(`${root}/a/b`), new Uint8Array([7]));
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});
