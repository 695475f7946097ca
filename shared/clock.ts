/** Time is a parameter: nothing but this file's `systemClock` reads a clock or sets a timer. */

export interface Clock {
  /** Monotonic milliseconds from an arbitrary start, for waits and leases. */
  now(): number;
  /** Milliseconds since 1970, for stored deadlines: it may jump. */
  wall(): number;
  /** Calls `wake` once, not before `now()` reaches `time`. Returns a function that calls it off. */
  wakeAt(time: number, wake: () => void): () => void;
}

/** Timers wrap at 2^31 ms: a longer wait wakes early, looks again and sleeps on. */
const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  wakeAt(time, wake) {
    let timer: ReturnType<typeof setTimeout>;
    const arm = () => {
      // Timers count in whole milliseconds and may fire a fraction early; leases end late, never early.
      const rest = Math.ceil(time - performance.now());
      if (rest <= 0 && timer !== undefined) return wake();
      timer = setTimeout(arm, Math.min(Math.max(rest, 0), longestTimerMs));
    };
    arm();
    return () => clearTimeout(timer);
  },
};
