import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  alertId,
  AlertIds,
  deadLetterId,
  formatTrace,
  parseTrace,
  printUuid,
  uuidV5,
  writeUuid,
} from "./ids.ts";

Deno.test("uuidV5() gives RFC 9562 appendix A.4's example", () => {
  const dns = Uint8Array.from(
    "6ba7b8109dad11d180b400c04fd430c8".match(/../g)!,
    (x) => parseInt(x, 16),
  );
  assertEquals(uuidV5("www.example.com", dns), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
});

// Expected values from Python: uuid.uuid5(uuid.UUID("6f1c1f0e-6a3c-5c0e-9f5b-2b7a5d0c4e11"), name).
Deno.test("alertId() and deadLetterId() hash into the pipeline's namespace", () => {
  assertEquals(
    alertId("high-value", "0b9d2b3a-6f5e-4c1d-8a7b-1234567890ab"),
    "99dae829-1f17-5fb1-a74b-aa8265fa9fbd",
  );
  assertEquals(deadLetterId("raw-transactions/3/12345"), "f69377fa-cd26-596b-9f2a-88fd10746572");
});

Deno.test("AlertIds writes the same ids, for names that end in any part of a block", () => {
  const text = new TextDecoder();
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z][a-z0-9-]{0,63}$/),
      fc.array(fc.tuple(fc.nat(), fc.integer(), fc.integer(), fc.integer()), { minLength: 1 }),
      (ruleName, ids) => {
        const alertIds = new AlertIds(ruleName);
        for (const words of ids) {
          const bytes = new Uint8Array(80).fill(0x2e);
          writeUuid(bytes, 40, ...words);
          alertIds.write(bytes, 2, 40);
          const id = printUuid(...words);
          assertEquals(text.decode(bytes), `..${alertId(ruleName, id)}..${id}....`);
        }
      },
    ),
  );
});

Deno.test("a trace names topic, partition and offset", () => {
  assertEquals(
    formatTrace("raw-transactions", 3, 9007199254740991),
    "raw-transactions/3/9007199254740991",
  );
  assertEquals(parseTrace("raw-transactions/3/12"), {
    topic: "raw-transactions",
    partition: 3,
    offset: 12,
  });
  assertEquals(parseTrace("raw-transactions/3"), undefined);
});
