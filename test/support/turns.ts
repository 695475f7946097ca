/** A `Defer` in the hands of a test: tasks run when it says so, and what they await is let end. */
import type { Defer } from '../../shared/link.js';

export class Turns {
  #tasks: (() => void)[] = [];

  readonly defer: Defer = task => {
    this.#tasks.push(task);
  };

  get left(): number {
    return this.#tasks.length;
  }

  /** Runs the oldest task and all that it sets going without waiting for another turn. */
  async one(): Promise<void> {
    this.#tasks.shift()?.();
    await settled();
  }

  /** Runs until nothing is left to do, or what is left waits for the test. */
  async idle(): Promise<void> {
    do {
      for (const task of this.#tasks.splice(0)) task();
      await settled();
    } while (this.#tasks.length > 0);
  }
}

/** An immediate runs when no microtask is left. */
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
