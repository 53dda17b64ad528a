/** `quiet_hours`: a transaction at an hour when its account rarely acts. */
import { z } from "zod";
import { DAY_US, dayOf, HOUR_US, printDate } from "../../contracts/timestamps.ts";
import type { RuleType } from "../rule_type.ts";
import { isTimeZone, timeOfDay, timeZoneOffsets, weekday } from "../values/time_zone.ts";

/** Days of the week as the rule file names them. */
export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "a time of day, HH:MM");

const Parameters = z.strictObject({
  start: TimeOfDay.meta({ description: "First moment of the interval, HH:MM" }),
  end: TimeOfDay.meta({ description: "First moment after it; before start, it wraps midnight" }),
  time_zone: z.string().refine(isTimeZone, "an IANA time zone, Europe/Berlin").default("UTC")
    .meta({ description: "IANA time zone that the hours are meant in" }),
  days: z.array(z.enum(WEEKDAYS)).min(1).default([...WEEKDAYS])
    .refine((days) => new Set(days).size === days.length, "each day once")
    .meta({ description: "Days on which the interval begins; a night belongs to its evening" }),
}).refine(({ start, end }) => start !== end, {
  path: ["end"],
  error: "another time than start",
});

/** Parameters of a quiet_hours rule. */
export type QuietHoursParameters = z.infer<typeof Parameters>;

function minutesOf(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
}

/** Prints a local time in µs as `YYYY-MM-DD HH:MM:SS`; alerts come many a day, so the date is kept. */
function localTimePrinter(): (localUs: number) => string {
  let day = NaN;
  let date = "";
  const two = (value: number) => (value < 10 ? `0${value}` : String(value));
  return (localUs) => {
    if (dayOf(localUs) !== day) {
      day = dayOf(localUs);
      date = printDate(localUs);
    }
    const seconds = Math.floor(timeOfDay(localUs) / 1_000_000);
    const minutes = Math.floor(seconds / 60);
    return `${date} ${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}`;
  };
}

/** Fires when the local time of the transaction lies in [start, end). */
export const quietHours: RuleType<QuietHoursParameters> = {
  ruleType: "quiet_hours",
  parameters: Parameters,
  compile(parameters) {
    const start = minutesOf(parameters.start) * (HOUR_US / 60);
    const end = minutesOf(parameters.end) * (HOUR_US / 60);
    const offsetAt = timeZoneOffsets(parameters.time_zone);
    const printLocal = localTimePrinter();
    const onDay = WEEKDAYS.map((day) => parameters.days.includes(day));
    return {
      cellWords: 0,
      judge(facts) {
        const local = facts.timestampUs + offsetAt(facts.timestampUs);
        const time = timeOfDay(local);
        if (start < end) return time >= start && time < end && onDay[weekday(local)]!;
        if (time >= start) return onDay[weekday(local)]!;
        return time < end && onDay[weekday(local - DAY_US)]!;
      },
      explain(facts, { accountId }) {
        const local = facts.timestampUs + offsetAt(facts.timestampUs);
        const localTime = printLocal(local);
        const { start, end, time_zone } = parameters;
        return {
          description: `Account ${accountId} acted at ${
            localTime.slice(11)
          } (${time_zone}), within the unusual hours from ${start} to ${end}`,
          evidence: {
            local_time: localTime,
            time_zone,
            start,
            end,
            weekday: WEEKDAYS[weekday(local)],
          },
        };
      },
    };
  },
};
