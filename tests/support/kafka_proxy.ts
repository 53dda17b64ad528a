/** A TCP proxy before a Kafka that loses answers on demand: it knows where requests begin and their API keys. */

/** API keys of the requests that suites aim at. */
export const API = { produce: 0, fetch: 1, addPartitionsToTxn: 24, endTxn: 26 } as const;

/** See {@linkcode startKafkaProxy}. */
export interface KafkaProxy {
  host: string;
  port: number;
  /** The next `times` requests of that kind are served, but their connections cut before the answer. */
  loseAnswers(apiKey: number, times?: number): void;
  /** Answers still to be lost. */
  left(apiKey: number): number;
  /** While true nothing is forwarded and connections stay open, as of a frozen broker. */
  frozen: boolean;
  /** While true every connection is refused or cut. */
  down: boolean;
  close(): Promise<void>;
}

/** Cuts a stream into Kafka's frames: a 32-bit size, then that many bytes. */
async function* framesOf(conn: Deno.Conn): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let rest = new Uint8Array(0);
  for await (const chunk of conn.readable) {
    const joined = new Uint8Array(rest.length + chunk.length);
    joined.set(rest);
    joined.set(chunk, rest.length);
    rest = joined;
    while (rest.length >= 4) {
      const size = 4 + new DataView(rest.buffer, rest.byteOffset).getInt32(0);
      if (rest.length < size) break;
      yield rest.subarray(0, size);
      rest = rest.subarray(size);
    }
  }
}

/** Starts a proxy on a free port of 127.0.0.1 before `target` (`host:port`). */
export function startKafkaProxy(target: string): KafkaProxy {
  const [hostname, port] = target.split(":");
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const losing = new Map<number, number>();
  const pairs = new Set<[Deno.Conn, Deno.Conn]>();
  let down = false;
  let frozen = false;

  function cut(pair: [Deno.Conn, Deno.Conn]): void {
    if (!pairs.delete(pair)) return;
    for (const conn of pair) {
      try {
        conn.close();
      } catch { /* closed by its stream */ }
    }
  }

  async function thaw(): Promise<void> {
    while (frozen) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  async function forward(client: Deno.Conn): Promise<void> {
    const broker = await Deno.connect({ hostname: hostname!, port: Number(port) });
    const pair: [Deno.Conn, Deno.Conn] = [client, broker];
    pairs.add(pair);
    /** Answers come in the order of the requests: whether each is to be lost. */
    const asked: boolean[] = [];
    const requests = (async () => {
      for await (const frame of framesOf(client)) {
        await thaw();
        const apiKey = new DataView(frame.buffer, frame.byteOffset).getInt16(4);
        const times = losing.get(apiKey) ?? 0;
        if (times > 0) losing.set(apiKey, times - 1);
        asked.push(times > 0);
        await writeAll(broker, frame);
      }
    })();
    const answers = (async () => {
      for await (const frame of framesOf(broker)) {
        await thaw();
        if (asked.shift()) return;
        await writeAll(client, frame);
      }
    })();
    await Promise.race([requests, answers]).catch(() => {});
    cut(pair);
    await Promise.allSettled([requests, answers]);
  }

  const accepting = (async () => {
    const running = new Set<Promise<void>>();
    for await (const client of listener) {
      if (down) {
        client.close();
        continue;
      }
      const run = forward(client).catch(() => client.close()).finally(() => running.delete(run));
      running.add(run);
    }
    await Promise.all(running);
  })();

  const { hostname: host, port: own } = listener.addr as Deno.NetAddr;
  return {
    host,
    port: own,
    loseAnswers: (apiKey, times = 1) => void losing.set(apiKey, times),
    left: (apiKey) => losing.get(apiKey) ?? 0,
    get frozen() {
      return frozen;
    },
    set frozen(value) {
      frozen = value;
    },
    get down() {
      return down;
    },
    set down(value) {
      down = value;
      if (down) { for (const pair of pairs) cut(pair); }
    },
    async close() {
      frozen = false;
      listener.close();
      for (const pair of pairs) cut(pair);
      await accepting;
    },
  };
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) written += await conn.write(bytes.subarray(written));
}
