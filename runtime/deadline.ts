/** One deadline, passed down a shutdown, so that the parts share the time there is (C14). */

/** The work was not done in time. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** A moment by which something must be done. */
export interface Deadline {
  /** Time left, 0 once it has passed. */
  remainingMs(): number;
  /** True once it has passed. */
  passed(): boolean;
  /** Settles as `work` does, or throws {@linkcode DeadlineError}; `work` itself is not stopped. */
  race<T>(work: Promise<T>, what: string): Promise<T>;
}

/** A deadline `ms` from now; `now` is in ms and must not jump (performance.now by default). */
export function createDeadline(
  ms: number,
  options: { now?: () => number } = {},
): Deadline {
  const { now = () => performance.now() } = options;
  const endMs = now() + ms;
  const remainingMs = () => Math.max(0, endMs - now());
  return {
    remainingMs,
    passed: () => remainingMs() === 0,
    async race<T>(work: Promise<T>, what: string): Promise<T> {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new DeadlineError(`Cannot ${what}: not done within ${ms} ms`)),
          remainingMs(),
        );
      });
      try {
        return await Promise.race([work, late]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
