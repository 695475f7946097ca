/** A clock that stands still until a test moves it. Monotonic and wall time run together, save where `jump` parts them. */
import type { Clock } from '../../shared/clock.js';

interface Timer {
  readonly time: number;
  readonly wake: () => void;
}

export class ManualClock implements Clock {
  #now = 1_000;
  #wallAhead = 1_700_000_000_000;
  /** By time; those of one time as they were set. */
  #timers: Timer[] = [];

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#wallAhead + this.#now;
  }

  wakeAt(time: number, wake: () => void): () => void {
    const timer = { time, wake };
    const behind = this.#timers.findIndex(other => other.time > time);
    this.#timers.splice(behind < 0 ? this.#timers.length : behind, 0, timer);
    return () => {
      this.#timers = this.#timers.filter(other => other !== timer);
    };
  }

  /** When the next timer fires, in monotonic time. */
  get next(): number | undefined {
    return this.#timers[0]?.time;
  }

  /** Moves on, waking each timer at its own time; also those that are set on the way and are due by then. */
  advance(ms: number): void {
    const end = this.#now + ms;
    while (this.#timers[0] && this.#timers[0].time <= end) {
      const { time, wake } = this.#timers.shift() as Timer;
      this.#now = Math.max(this.#now, time);
      wake();
    }
    this.#now = end;
  }

  /** Somebody sets the wall clock. */
  jump(ms: number): void {
    this.#wallAhead += ms;
  }
}
