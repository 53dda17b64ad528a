import { assert, assertEquals, assertRejects } from "@std/assert";
import { storageConformance } from "./conformance.ts";
import { FileExistsError, type Storage, StorageError } from "./port.ts";
import { s3Storage, type S3StorageOptions } from "./s3.ts";
import { FakeS3 } from "./s3_fake.ts";

function open(fake: FakeS3, more: Partial<S3StorageOptions> = {}): Storage {
  return s3Storage({
    roots: ["s3://bucket/top"],
    endpoint: "http://s3.test:9000",
    accessKeyId: fake.accessKeyId,
    secretAccessKey: fake.secretAccessKey,
    region: fake.region,
    fetch: fake.fetch,
    nowMs: () => Date.UTC(2026, 10, 21, 8),
    random: () => 0,
    sleep: () => Promise.resolve(),
    ...more,
  });
}

for (const scheme of ["s3", "s3a"]) {
  storageConformance(`s3Storage by ${scheme}:`, () => ({
    storage: open(new FakeS3()),
    root: `${scheme}://bucket/top`,
  }));
}

const text = (value: string) => new TextEncoder().encode(value);

Deno.test("s3Storage is refused with a wrong secret, and says the store's reason", async () => {
  const storage = open(new FakeS3(), { secretAccessKey: "wrong" });
  const error = await assertRejects(() => storage.read("s3://bucket/top/a"), StorageError);
  assertEquals(
    error.message,
    'Cannot read "s3://bucket/top/a": the store answered 403 SignatureDoesNotMatch',
  );
});

Deno.test("s3Storage sends a session token, signed", async () => {
  const fake = new FakeS3();
  const storage = open(fake, { sessionToken: "token/with+odd=characters" });
  await storage.create("s3://bucket/top/a", text("x"));
  assertEquals(await storage.read("s3://bucket/top/a"), text("x"));
});

Deno.test("s3Storage names Amazon's own hosts without an endpoint", async () => {
  const urls: string[] = [];
  const storage = s3Storage({
    roots: ["s3://bucket"],
    accessKeyId: "a",
    secretAccessKey: "b",
    region: "eu-west-1",
    fetch: (url) => {
      urls.push(url);
      return Promise.resolve(new Response());
    },
  });
  await storage.create("s3://bucket/a/b c.txt", text("x"));
  assertEquals(urls, ["https://bucket.s3.eu-west-1.amazonaws.com/a/b%20c.txt"]);
});

Deno.test("s3Storage tries again what may pass, and gives up in the end", async () => {
  const fake = new FakeS3();
  const storage = open(fake);
  fake.faults = [{ method: "PUT", status: 503 }, { method: "PUT" }, { method: "PUT", status: 500 }];
  await storage.create("s3://bucket/top/a", text("x"));
  assertEquals(fake.faults, []);
  fake.faults = Array.from({ length: 4 }, () => ({ method: "PUT", status: 503 }));
  const error = await assertRejects(
    () => storage.create("s3://bucket/top/b", text("x")),
    StorageError,
  );
  assert(error.outcomeUnknown);
  assertEquals(fake.faults, []);
});

Deno.test("s3Storage knows its own object after a lost answer, and a stranger's", async () => {
  const fake = new FakeS3();
  const storage = open(fake);
  fake.faults = [{ method: "PUT", afterEffect: true }];
  await storage.create("s3://bucket/top/a", text("ours"));
  assertEquals(await storage.read("s3://bucket/top/a"), text("ours"));
  fake.faults = [{ method: "PUT" }];
  fake.objects.set("/bucket/top/b", { bytes: text("theirs"), modifiedMs: 0 });
  await assertRejects(() => storage.create("s3://bucket/top/b", text("ours")), FileExistsError);
});
