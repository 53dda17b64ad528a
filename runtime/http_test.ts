import { assertEquals } from "@std/assert";
import type { StageStatus } from "../contracts/status.ts";
import { answer } from "./http.ts";

const parts = {
  status: () => ({ name: "sink" }) as StageStatus,
  readiness: () => ({ ready: false, reasons: ["catalog unreachable"] }),
  metrics: () => "x 1\n",
};

function get(path: string, method = "GET") {
  return answer({ method, url: `http://127.0.0.1${path}` }, parts);
}

Deno.test("/readyz is 503 with the reasons until the stage does its work", async () => {
  const red = get("/readyz");
  assertEquals([red.status, await red.json()], [503, {
    ready: false,
    reasons: ["catalog unreachable"],
  }]);
  const green = answer({ method: "GET", url: "http://127.0.0.1/readyz" }, {
    ...parts,
    readiness: () => ({ ready: true, reasons: [] }),
  });
  assertEquals(green.status, 200);
  await green.body?.cancel();
});

Deno.test("the four addresses answer, others are 404, and only reading is allowed", async () => {
  assertEquals((await get("/healthz").json()).alive, true);
  assertEquals(await get("/metrics").text(), "x 1\n");
  assertEquals((await get("/status?x=1").json()).name, "sink");
  for (const [path, method, status] of [["/", "GET", 404], ["/status", "POST", 405]] as const) {
    const response = get(path, method);
    assertEquals(response.status, status);
    await response.body?.cancel();
  }
});
