import { assertEquals } from "@std/assert";
import { RulesAgreement, rulesMetadata } from "./rules_agreement.ts";

function offset(partition: number, version?: string) {
  const at = { topic: "raw", partition, offset: 5 };
  return version === undefined ? at : { ...at, metadata: rulesMetadata(version) };
}

Deno.test("RulesAgreement: another version elsewhere is a reason once it lasts", () => {
  const agreement = new RulesAgreement();
  const check = (offsets: ReturnType<typeof offset>[], nowMs: number) =>
    agreement.check(offsets, { owned: new Set([0]), version: "new", nowMs });
  // Ours lags behind for a moment, or tells no version at all: nobody else's matter.
  assertEquals(check([offset(0, "old"), offset(1, "new"), offset(2)], 0), undefined);
  assertEquals(check([offset(1, "old")], 1_000), undefined);
  assertEquals(check([offset(1, "old")], 30_999), undefined);
  assertEquals(
    check([offset(1, "old")], 31_000),
    "partition 1 is judged by rules old elsewhere, by new here",
  );
  assertEquals(check([offset(1, "new")], 32_000), undefined);
  assertEquals(check([offset(1, "old")], 33_000), undefined);
});
