/**
 * The connection factory: addresses are tried in turn; after a round in which none answered comes a pause, which grows from `minDelay` by
 * `backoff` up to `maxDelay`, a little less by chance so that many clients do not come back at the same moment.
 */
import type { Clock } from '../shared/clock.js';
import { TupletError } from '../shared/errors.js';

export interface DialOptions {
  /** Milliseconds of the first pause. Default 100. */
  readonly minDelay?: number;
  /** Milliseconds of the longest pause. Default 5,000. */
  readonly maxDelay?: number;
  /** By what the pause grows. Default 2. */
  readonly backoff?: number;
  /** Rounds before it gives up. Default 8 for the first connection, no end for later ones. */
  readonly maxAttempts?: number;
}

export interface Dial<T> extends Required<DialOptions> {
  readonly addresses: readonly string[];
  /** One attempt at one address; `signal` ends it. */
  readonly open: (address: string, signal: AbortSignal) => Promise<T>;
  readonly clock: Clock;
  /** 0 to 1, evenly. */
  readonly random: () => number;
  readonly signal: AbortSignal;
}

const attemptMs = 10_000;

/** Throws what cannot be mended by trying again at once, the last reason when all attempts have failed, `closed` on `signal`. */
export async function dial<T>(options: Dial<T>): Promise<T> {
  const { addresses, minDelay, maxDelay, backoff, maxAttempts, random, signal } = options;
  let reason: unknown;
  for (let round = 0; round < maxAttempts; round++) {
    if (round > 0) {
      const delay = Math.min(minDelay * backoff ** (round - 1), maxDelay);
      await pause(options, delay * (0.75 + 0.25 * random()));
    }
    for (const address of addresses) {
      if (signal.aborted) throw new TupletError('closed', 'the client was closed');
      try {
        return await attempt(options, address);
      } catch (error) {
        if (error instanceof TupletError && !error.retryable && !signal.aborted) throw error;
        reason = error;
      }
    }
  }
  if (reason instanceof TupletError && reason.code !== 'lost') throw reason;
  const why = reason instanceof Error ? reason.message : String(reason);
  throw new TupletError('lost', `no server answers: ${why}`, { cause: reason });
}

async function attempt<T>({ open, clock, signal }: Dial<T>, address: string): Promise<T> {
  const tooLong = new AbortController();
  const stop = () => tooLong.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const cancel = clock.wakeAt(clock.now() + attemptMs, () =>
    tooLong.abort(new Error(`${address} does not answer`)),
  );
  try {
    return await open(address, tooLong.signal);
  } finally {
    cancel();
    signal.removeEventListener('abort', stop);
  }
}

function pause({ clock, signal }: Dial<unknown>, ms: number): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.wakeAt(clock.now() + ms, done);
    signal.addEventListener('abort', done, { once: true });
  });
}
