/** Keeps one partition going while it is ours: takes it, works, and answers errors (E1 to E4). */
import { FencedError } from "../broker/port.ts";
import { ConfigError, NotReadyError } from "../contracts/errors.ts";
import { backoff } from "../runtime/retry.ts";
import type { PartitionView, ProcessorContext } from "./context.ts";
import { GapError } from "./gaps.ts";
import { PartitionLoop } from "./partition_loop.ts";
import { settledEnd, watchPositions } from "./restore.ts";
import { takePartition } from "./take_partition.ts";

/** What an owner is told besides the context. */
export interface OwnerOptions {
  view: PartitionView;
  /** The partition is taken from us, or the process ends. */
  signal: AbortSignal;
  /** In [0, 1); jitters the waits between attempts. */
  random: () => number;
}

/**
 * Owns a partition until the signal aborts.
 *
 * @throws {ConfigError} when the rule file is invalid and the changelog has no rules: somebody above
 * decides whether that ends the process.
 */
export async function ownPartition<State, Compiled>(
  context: ProcessorContext<State, Compiled>,
  options: OwnerOptions,
): Promise<void> {
  const { view, signal, random } = options;
  const { settings, clock, log, observer } = context;
  const { partition } = view;
  const waits = backoff({ initialMs: settings.backoffMsMin, maxMs: settings.backoffMsMax, random });
  while (!signal.aborted) {
    const before = view.position;
    try {
      await takeAndWork(context, options);
    } catch (error) {
      if (signal.aborted) break;
      if (error instanceof ConfigError) throw error;
      const { name, message } = error as Error;
      view.reason = message;
      observer.failed(partition, name, error);
      if (view.position > before) waits.reset();
      await answer(context, { ...options, error, waitMs: waits.next() })
        .catch((failure) => {
          if (signal.aborted) return;
          log.warn("wait_failed", { partition, error: failure });
          return clock.sleep(settings.backoffMsMax, signal).catch(() => {});
        });
    }
  }
  if (view.state === "running") view.state = "stopped";
  log.info("partition_released", { partition, position: String(view.position) });
}

/** T1 to U7, until the signal aborts or something fails; writer and state are gone afterwards (E1). */
async function takeAndWork<State, Compiled>(
  context: ProcessorContext<State, Compiled>,
  { view, signal }: OwnerOptions,
): Promise<void> {
  const { log } = context;
  view.state = "taking";
  const taken = await takePartition(context, view, signal);
  try {
    const { partition, position } = taken;
    log.info("partition_taken", { partition, position: String(position) });
    view.state = "running";
    delete view.reason;
    await new PartitionLoop(context, taken, { view, signal }).run();
  } finally {
    await taken.close();
  }
}

interface AnswerOptions extends OwnerOptions {
  error: unknown;
  /** E2: how long to wait before the next attempt. */
  waitMs: number;
}

/** Waits for what the error calls for. Never writes. */
async function answer<State, Compiled>(
  context: ProcessorContext<State, Compiled>,
  { error, view, waitMs, signal }: AnswerOptions,
): Promise<void> {
  const { log, clock, settings } = context;
  const { partition } = view;
  if (error instanceof FencedError) { // E3
    view.state = "fenced";
    log.warn("partition_given_up", { partition, error });
    return await untilQuiet(context, partition, signal);
  }
  if (error instanceof GapError) { // E4
    view.state = "gap";
    log.error("gap", { partition, ...error.gap });
    return await untilAccepted(context, partition, signal);
  }
  view.state = "waiting";
  if (error instanceof NotReadyError) {
    log.error("not_ready", { partition, reason: error.message });
    return await clock.sleep(settings.backoffMsMax, signal);
  }
  log.error("partition_failed", { partition, error, retry_ms: waitMs }); // E1, E2
  await clock.sleep(waitMs, signal);
}

/** E3: until no other session has moved the position for `quietMs`, so that two instances do not fence each other for ever. */
async function untilQuiet<State, Compiled>(
  context: ProcessorContext<State, Compiled>,
  partition: number,
  signal: AbortSignal,
): Promise<void> {
  const { broker, settings, clock, sessionId } = context;
  const reader = await broker.openReader();
  try {
    const offsets = await broker.offsets(context.topics.state);
    const from = offsets.find((one) => one.partition === partition)?.stable ?? 0;
    let quietSinceMs = clock.now();
    await watchPositions(context, { reader, partition, from, signal }, (positions) => {
      if (positions.some((one) => one?.sessionId !== sessionId)) quietSinceMs = clock.now();
      return clock.now() - quietSinceMs < settings.quietMs;
    });
  } finally {
    await reader.close();
  }
}

/**
 * E4: until somebody else moved the position (`deno task resume` writes it like an owner), or until it is
 * time to look again. The partition's id is left alone meanwhile, so that resume is not fenced.
 */
async function untilAccepted<State, Compiled>(
  context: ProcessorContext<State, Compiled>,
  partition: number,
  signal: AbortSignal,
): Promise<void> {
  const { broker, settings, clock } = context;
  const reader = await broker.openReader();
  try {
    const { end } = await settledEnd(context, partition, signal);
    const deadlineMs = clock.now() + settings.recheckMs;
    await watchPositions(context, { reader, partition, from: end, signal }, (positions) => {
      return positions.length === 0 && clock.now() < deadlineMs;
    });
  } finally {
    await reader.close();
  }
}
