/**
 * One suite for every storage adapter. An adapter's test registers it with a factory; a rule added
 * here binds them all.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { joinLocation, locationKey } from "./location.ts";
import { FileExistsError, NoSuchFileError, type Storage, UnsafeLocationError } from "./port.ts";

/** A fresh storage, the root it serves (absolute, no trailing slash), and how to take it down. */
export interface ConformanceSubject {
  readonly storage: Storage;
  readonly root: string;
  readonly close?: () => Promise<void>;
}

type Check = (storage: Storage, at: (name: string) => string, root: string) => Promise<void>;

const text = (value: string) => new TextEncoder().encode(value);

const CHECKS: Readonly<Record<string, Check>> = {
  "create() makes a file that read() gives back": async (storage, at) => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index * 31);
    await storage.create(at("deep/er/file.bin"), bytes);
    assertEquals(await storage.read(at("deep/er/file.bin")), bytes);
  },
  "create() takes an empty file": async (storage, at) => {
    await storage.create(at("empty"), new Uint8Array());
    assertEquals((await storage.read(at("empty"))).length, 0);
    assertEquals((await storage.stat(at("empty")))?.size, 0);
  },
  "create() is exclusive and leaves the first content": async (storage, at) => {
    await storage.create(at("once"), text("first"));
    await assertRejects(() => storage.create(at("once"), text("second")), FileExistsError);
    await assertRejects(() => storage.create(at("once"), text("first")), FileExistsError);
    assertEquals(await storage.read(at("once")), text("first"));
  },
  "create() lets exactly one of many rivals win": async (storage, at) => {
    const rivals = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => storage.create(at("race"), text(`rival ${index}`))),
    );
    const winners = rivals.flatMap((rival, index) => rival.status === "fulfilled" ? [index] : []);
    assertEquals(winners.length, 1);
    assertEquals(await storage.read(at("race")), text(`rival ${winners[0]}`));
    for (const rival of rivals) {
      if (rival.status === "rejected") assert(rival.reason instanceof FileExistsError);
    }
  },
  "create() does not keep the caller's buffer": async (storage, at) => {
    const bytes = text("before");
    await storage.create(at("buffer"), bytes);
    bytes.fill(0);
    assertEquals(await storage.read(at("buffer")), text("before"));
  },
  "read() cuts ranges at the end of the file": async (storage, at) => {
    await storage.create(at("range"), text("0123456789"));
    assertEquals(await storage.read(at("range"), { offset: 2, length: 3 }), text("234"));
    assertEquals(await storage.read(at("range"), { offset: 7 }), text("789"));
    assertEquals(await storage.read(at("range"), { offset: 8, length: 50 }), text("89"));
    assertEquals(await storage.read(at("range"), { length: 4 }), text("0123"));
    assertEquals((await storage.read(at("range"), { offset: 10 })).length, 0);
  },
  "read() of an absent file is NoSuchFileError": async (storage, at) => {
    await assertRejects(() => storage.read(at("none")), NoSuchFileError);
    await assertRejects(() => storage.read(at("none"), { offset: 1, length: 1 }), NoSuchFileError);
  },
  "stat() tells the size, and undefined for what is no file": async (storage, at) => {
    await storage.create(at("folder/sized"), text("12345"));
    const info = await storage.stat(at("folder/sized"));
    assertEquals(info?.size, 5);
    assertEquals(info?.location, at("folder/sized"));
    assert(Number.isFinite(info?.modifiedMs));
    assertEquals(await storage.stat(at("none")), undefined);
    assertEquals(await storage.stat(at("folder")), undefined);
  },
  "remove() removes, and twice is no error": async (storage, at) => {
    await storage.create(at("gone"), text("x"));
    await storage.remove(at("gone"));
    await storage.remove(at("gone"));
    assertEquals(await storage.stat(at("gone")), undefined);
    await storage.create(at("gone"), text("y"));
    assertEquals(await storage.read(at("gone")), text("y"));
  },
  "list() gives every file below a folder, and no neighbour": async (storage, at) => {
    for (const name of ["t/a", "t/b/c", "t/b/d", "tt/e", "u"]) {
      await storage.create(at(name), text(name));
    }
    const listed = await Array.fromAsync(storage.list(at("t")));
    assertEquals(listed.map((file) => file.location).sort(), ["t/a", "t/b/c", "t/b/d"].map(at));
    assertEquals(listed.map((file) => file.size).sort(), [3, 5, 5]);
    assertEquals(await Array.fromAsync(storage.list(at("absent"))), []);
    // What list() gives, read() takes: the spelling is the caller's own.
    assertEquals(await storage.read(listed.find((file) => file.size === 3)!.location), text("t/a"));
  },
  "names keep percent signs, spaces and unusual letters": async (storage, at) => {
    const names = [
      "p/day=2026-01-01/x",
      "p/a%2Fb",
      "p/a b+c",
      "p/%2e%2e",
      "p/ünïcödé-猫",
      "p/a:b=c&d",
    ];
    for (const name of names) await storage.create(at(name), text(name));
    for (const name of names) assertEquals(await storage.read(at(name)), text(name));
    const listed = await Array.fromAsync(storage.list(at("p")));
    assertEquals(
      listed.map((file) => locationKey(file.location)).sort(),
      names.map((name) => locationKey(at(name))).sort(),
    );
  },
  "no location leaves the root": async (storage, at, root) => {
    const outside = [
      root + "/../escape",
      root + "/a/../../escape",
      root + "/./a",
      root + "-sibling/a",
      root + "/a\u0000b",
      root.slice(0, root.lastIndexOf("/")) + "/other",
      "relative/path",
      "",
      "other://bucket/key",
    ];
    for (const location of outside) {
      await assertRejects(() => storage.create(location, text("x")), UnsafeLocationError);
      await assertRejects(() => storage.read(location), UnsafeLocationError);
      await assertRejects(() => storage.stat(location), UnsafeLocationError);
      await assertRejects(() => storage.remove(location), UnsafeLocationError);
      await assertRejects(() => Array.fromAsync(storage.list(location)), UnsafeLocationError);
    }
    assertEquals(await Array.fromAsync(storage.list(at(""))), []);
  },
};

/** Registers the suite: one test per rule, each on a storage of its own. */
export function storageConformance(
  name: string,
  open: () => ConformanceSubject | Promise<ConformanceSubject>,
): void {
  for (const [rule, check] of Object.entries(CHECKS)) {
    Deno.test(`${name}: ${rule}`, async () => {
      const { storage, root, close } = await open();
      try {
        await check(storage, (file) => joinLocation(root, file), root);
      } finally {
        await close?.();
      }
    });
  }
}
