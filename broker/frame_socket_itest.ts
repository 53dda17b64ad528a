import type { Buffer } from "node:buffer";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { freePort } from "../tests/support/services.ts";
import { FrameSocket, freshBuffer, reusedBuffer, type TakeBuffer } from "./frame_socket.ts";

/** A listener whose one connection is given to `serve`. */
function serveOnce(serve: (connection: Deno.TcpConn) => Promise<void>) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }) as Deno.TcpListener;
  const done = (async () => {
    const connection = await listener.accept();
    try {
      await serve(connection);
    } finally {
      connection.close();
      listener.close();
    }
  })();
  return { port: listener.addr.port, done };
}

/** Connects; collects what is emitted until the other side ends or something goes wrong. */
function connect(
  port: number,
  options: { take?: TakeBuffer; send?: Uint8Array[]; end?: boolean } = {},
) {
  const { promise, resolve } = Promise.withResolvers<string>();
  const answers: Uint8Array[] = [];
  const socket = new FrameSocket({
    host: "127.0.0.1",
    port,
    keepAlive: true,
    take: options.take ?? freshBuffer,
    onConnect() {
      for (const piece of options.send ?? []) socket.write(piece);
      if (options.end) socket.end();
    },
  });
  socket.on("data", (data: Buffer) => answers.push(data));
  socket.on("end", () => resolve("end"));
  socket.on("error", (error: Error) => resolve(error.message));
  return { socket, answers, over: promise };
}

/** An answer of `size` bytes after its size field, told apart by `first`. */
function answerOf(size: number, first: number): Uint8Array {
  const bytes = new Uint8Array(4 + size);
  new DataView(bytes.buffer).setInt32(0, size);
  for (let i = 0; i < size; i++) bytes[4 + i] = (first + i) & 0xff;
  return bytes;
}

function joined(parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

Deno.test("FrameSocket gives whole answers, however they are cut on their way", async () => {
  const sizes = [4, 5, 100, 8188, 8189, 8190, 20_000, 4, 300_000, 9];
  const expected = sizes.map((size, index) => answerOf(size, index));
  const stream = joined(expected);
  for (const cut of [7, 8192, 100_000, stream.length]) {
    const { port, done } = serveOnce(async (connection) => {
      connection.setNoDelay(true);
      // The tiny cuts only where sizes and small answers are; the rest of the stream in larger ones.
      for (let at = 0; at < stream.length;) {
        const step = at < 400 ? cut : Math.max(cut, 5000);
        await writeAll(connection, stream.subarray(at, at + step));
        at += step;
      }
    });
    const { answers, over } = connect(port);
    assertEquals(await over, "end");
    await done;
    assertEquals(answers.map((answer) => answer.length), expected.map(({ length }) => length));
    for (const [index, answer] of answers.entries()) {
      assert(
        expected[index]!.every((byte, at) => byte === answer[at]),
        `answer ${index}, cut ${cut}`,
      );
    }
  }
});

Deno.test("FrameSocket uses kept memory again, and grows it", async () => {
  const { port, done } = serveOnce((connection) =>
    writeAll(connection, joined([answerOf(10_000, 1), answerOf(9000, 2), answerOf(50_000, 3)]))
  );
  const { answers, over } = connect(port, { take: reusedBuffer() });
  assertEquals(await over, "end");
  await done;
  const [first, second, third] = answers as [Uint8Array, Uint8Array, Uint8Array];
  assertEquals(first.buffer, second.buffer);
  assertEquals([first[4], second[4]], [2, 2], "the second answer lies where the first was");
  assert(third.buffer !== first.buffer);
  assertEquals([third.length, third[4]], [50_004, 3]);
});

Deno.test("FrameSocket writes small and large pieces in their order, and ends after the last", async () => {
  const pieces = [3, 40_000, 1, 2, 16_384, 16_385, 900_000, 5].map((size, index) =>
    new Uint8Array(size).fill(index + 1)
  );
  const got: Uint8Array[] = [];
  const { port, done } = serveOnce(async (connection) => {
    const buffer = new Uint8Array(50_000);
    for (let read; (read = await connection.read(buffer)) !== null;) {
      got.push(buffer.slice(0, read));
    }
  });
  const { socket } = connect(port, { send: pieces, end: true });
  await done;
  assertEquals(joined(got), joined(pieces));
  assertEquals(socket.write(new Uint8Array(1)), false);
});

Deno.test("FrameSocket says why it failed, once, and nothing after destroy()", async () => {
  const refused = connect(freePort());
  assertMatch(await refused.over, /refused/i);

  // Another protocol's answer: these four bytes are no size.
  const other = serveOnce((connection) =>
    writeAll(connection, new TextEncoder().encode("HTTP/1.1"))
  );
  const confused = connect(other.port);
  assertMatch(await confused.over, /Cannot read an answer of \d+ bytes/);
  await other.done;

  const waits = Promise.withResolvers<void>();
  const silent = serveOnce(() => waits.promise);
  const dropped = connect(silent.port, { send: [new Uint8Array(1)] });
  let events = 0;
  for (const name of ["data", "end", "error"]) dropped.socket.on(name, () => events++);
  await new Promise((resolve) => setTimeout(resolve, 20));
  dropped.socket.destroy();
  waits.resolve();
  await silent.done;
  assertEquals(events, 0);
});
