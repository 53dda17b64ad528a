import { assertEquals } from "@std/assert";
import { checkTable, rule } from "../testing.ts";

const night = (parameters: Record<string, unknown>) => [rule("night", "quiet_hours", parameters)];

Deno.test("quiet_hours holds from its start to just before its end", () => {
  checkTable(
    night({ start: "01:00", end: "05:00" }),
    `
    time             alert
    00:59:59.999999  -
    01:00:00.000     night
    01:00:00         night
    03:30:00         night
    04:59:59.999     night
    04:59:59.999999  night
    05:00:00.000     -
    13:00:00         -
  `,
  );
});

Deno.test("quiet_hours judges the instant, whatever offset it is written with", () => {
  checkTable(
    night({ start: "01:00", end: "05:00" }),
    `
    time                       alert
    2026-01-15T03:00:00+02:00  night
    2026-01-15T02:59:59+02:00  -
    2026-01-14T20:00:00-05:00  night
    2026-01-15T00:00:00-05:00  -
    2026-01-15T06:44:59+05:45  -
    2026-01-15T06:45:00+05:45  night
  `,
  );
});

Deno.test("quiet_hours wraps around midnight", () => {
  checkTable(
    night({ start: "22:30", end: "05:15" }),
    `
    time             alert
    22:29:59.999999  -
    22:30:00         night
    23:59:59.999999  night
    00:00:00         night
    05:14:59.999999  night
    05:15:00         -
    12:00:00         -
  `,
  );
});

// 2026-01-12 is a Monday.
Deno.test("quiet_hours on days: a night belongs to the day it begins on", () => {
  checkTable(
    night({ start: "22:00", end: "06:00", days: ["fri", "sat"] }),
    `
    time                  alert
    2026-01-15T23:00:00Z  -
    2026-01-16T05:00:00Z  -
    2026-01-16T22:00:00Z  night
    2026-01-17T05:59:59Z  night
    2026-01-17T06:00:00Z  -
    2026-01-17T23:00:00Z  night
    2026-01-18T03:00:00Z  night
    2026-01-18T23:00:00Z  -
    2026-01-19T03:00:00Z  -
  `,
  );
  checkTable(
    night({ start: "09:00", end: "10:00", days: ["mon"] }),
    `
    time                  alert
    2026-01-12T09:00:00Z  night
    2026-01-13T09:00:00Z  -
  `,
  );
});

// Berlin: CET is UTC+1, CEST UTC+2; clocks went 02:00 → 03:00 on 2026-03-29 (01:00 UTC) and go
// 03:00 → 02:00 on 2026-10-25 (01:00 UTC).
Deno.test("quiet_hours in a time zone with summer time", () => {
  checkTable(
    night({ start: "01:00", end: "05:00", time_zone: "Europe/Berlin" }),
    `
    time                         alert
    2026-01-14T23:59:59.999999Z  -
    2026-01-15T00:00:00Z         night
    2026-01-15T03:59:59.999999Z  night
    2026-01-15T04:00:00Z         -
    2026-03-28T23:59:59Z         -
    2026-03-29T00:00:00Z         night
    2026-03-29T00:59:59.999999Z  night
    2026-03-29T01:00:00Z         night
    2026-03-29T02:59:59.999999Z  night
    2026-03-29T03:00:00Z         -
    2026-07-01T22:59:59Z         -
    2026-07-01T23:00:00Z         night
    2026-07-02T02:59:59Z         night
    2026-07-02T03:00:00Z         -
    2026-10-24T22:59:59Z         -
    2026-10-24T23:00:00Z         night
    2026-10-25T00:30:00Z         night
    2026-10-25T01:30:00Z         night
    2026-10-25T03:59:59Z         night
    2026-10-25T04:00:00Z         -
  `,
  );
});

Deno.test("quiet_hours where the skipped hour is the whole interval", () => {
  // New York skipped 02:00-03:00 on 2026-03-08 (07:00 UTC) and repeated 01:00-02:00 on 2026-11-01.
  checkTable(
    night({ start: "02:00", end: "03:00", time_zone: "America/New_York" }),
    `
    time                         alert
    2026-03-07T07:30:00Z         night
    2026-03-08T06:59:59.999999Z  -
    2026-03-08T07:00:00Z         -
    2026-03-08T07:59:59Z         -
    2026-03-09T06:30:00Z         night
  `,
  );
  checkTable(
    night({ start: "01:00", end: "02:00", time_zone: "America/New_York" }),
    `
    time                         alert
    2026-11-01T04:59:59Z         -
    2026-11-01T05:00:00Z         night
    2026-11-01T05:59:59Z         night
    2026-11-01T06:00:00Z         night
    2026-11-01T06:59:59.999999Z  night
    2026-11-01T07:00:00Z         -
  `,
  );
});

Deno.test("quiet_hours in zones whose offset is no whole hour, or changed within one", () => {
  checkTable(
    night({ start: "01:00", end: "05:00", time_zone: "Asia/Kathmandu" }),
    `
    time                         alert
    2026-01-14T19:14:59.999999Z  -
    2026-01-14T19:15:00Z         night
    2026-01-14T23:14:59.999999Z  night
    2026-01-14T23:15:00Z         -
  `,
  );
  // St. John's went from 00:01 NST (UTC-3:30) to 01:01 NDT on 2010-03-14, at 03:31 UTC.
  checkTable(
    night({ start: "00:30", end: "01:30", time_zone: "America/St_Johns" }),
    `
    time                         alert
    2010-03-14T03:30:59.999999Z  -
    2010-03-14T03:31:00Z         night
    2010-03-14T03:59:59Z         night
    2010-03-14T04:00:00Z         -
  `,
  );
});

Deno.test("quiet_hours explains itself in its own time zone", () => {
  const [outcome] = checkTable(
    night({ start: "01:00", end: "05:00", time_zone: "Europe/Berlin" }),
    `
    account  time                  alert
    A7       2026-01-14T23:30:00Z  -
    A7       2026-01-15T02:30:00Z  night
  `,
  ).slice(1);
  assertEquals(outcome!.explanations, [{
    description:
      "Account A7 acted at 03:30:00 (Europe/Berlin), within the unusual hours from 01:00 to 05:00",
    evidence: {
      local_time: "2026-01-15 03:30:00",
      time_zone: "Europe/Berlin",
      start: "01:00",
      end: "05:00",
      weekday: "thu",
    },
  }]);
});
