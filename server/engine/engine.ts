/**
 * The engine's one door: requests go in, each is answered once, after what it did is durable.
 *
 * Its rules:
 * - Requests that are there together share one batch of the store and are answered together after its commit. A batch begins in the turn
 *   in which the first of them came: nobody waits for company.
 * - A request is `queued`, then `running` inside one batch, then `done`; or it goes back to `queued` when it has looked at its share of
 *   entries; or it is `waiting`, filed in the waiters, until a tuple, its deadline or its caller ends that. Only a running request has effects.
 * - A request that fails, fails alone, before it has written anything. Any other error is a fault of the storage: whether the batch
 *   is durable is unknown, so nothing is answered as done, and the engine stops for good.
 * - A request with a key is answered once for all its callers, and its answer is recorded in the commit of its effect.
 */
import type { Clock } from '../../shared/clock.js';
import { TupletError } from '../../shared/errors.js';
import type { Json } from '../../shared/json.js';
import { limits } from '../../shared/limits.js';
import type { Defer } from '../../shared/link.js';
import type { Answer, Request } from '../../shared/operations.js';
import type { Store } from '../store/store.js';
import { BatchWork } from './batch-work.js';
import { Deadlines } from './deadlines.js';
import { EventLog, type Watch, type WatchSink } from './event-log.js';
import { keyReused, Pending, type RequestKey, type Respond, type Result } from './pending.js';
import { perform, type Step } from './perform.js';
import { Waiters } from './waiters.js';

export interface EngineOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Runs the next batch: late enough that what arrives in one turn is together. */
  readonly defer: Defer;
  /** The storage failed, and the engine has stopped. */
  readonly onFault?: (error: unknown) => void;
  /** After every batch: how many requests it had, and how long it took. */
  readonly onBatch?: (requests: number, ms: number) => void;
}

const isFinal = (step: Step): step is Result => step !== 'more' && step !== 'wait';

export class Engine {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #defer: Defer;
  readonly #options: EngineOptions;
  readonly #deadlines: Deadlines;
  readonly #events: EventLog;
  readonly #waiters = new Waiters<Pending>();
  readonly #keyed = new Map<string, Pending>();
  /** All that have no answer yet. */
  readonly #unanswered = new Set<Pending>();
  #queue: Pending[] = [];
  #turn = 0;
  #scheduled = false;
  #state: 'open' | 'draining' | 'failed' = 'open';
  #idle: (() => void)[] = [];
  /** Stored deadlines: when the next is due, in wall time, and the call that is set for it. */
  #due = Number.POSITIVE_INFINITY;
  #callOffDue: (() => void) | undefined;
  #dueNow = true;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#defer = options.defer;
    this.#deadlines = new Deadlines(options.clock);
    this.#events = new EventLog(options.clock, this.#deadlines);
    // What fell due while no server ran.
    this.#schedule();
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /**
   * Takes a request; `respond` is called once, later. The returned function abandons it: if it has no effect yet it is answered by
   * `aborted` and never has one; else its result comes.
   */
  submit(request: Request, respond: Respond, key?: RequestKey): () => void {
    const refusal = this.#refusal(key);
    if (refusal) {
      this.#defer(() => respond({ error: refusal }));
      return () => {};
    }
    let pending = key && this.#keyed.get(key.id);
    if (!pending) {
      pending = new Pending(request, this.#turn++, this.#clock.now(), key);
      if (key) this.#keyed.set(key.id, pending);
      this.#unanswered.add(pending);
      this.#queue.push(pending);
      this.#schedule();
    }
    pending.responders.add(respond);
    return () => this.#abandon(pending, respond);
  }

  /** Shows events from where the answer to a request `watch` says, to be called in that answer. Returns a function that ends it. */
  watch(watch: Watch, sink: WatchSink): () => void {
    return this.#events.watch(watch, sink);
  }

  #refusal(key: RequestKey | undefined): TupletError | undefined {
    if (this.#state === 'draining')
      return new TupletError('unavailable', 'the server is draining: come back soon');
    if (this.#state === 'failed')
      return new TupletError('unavailable', 'the storage failed: the server is stopping');
    if (this.#queue.length >= limits.queuedRequests)
      return new TupletError('limit', 'too many requests are queued');
    const running = key && this.#keyed.get(key.id)?.key;
    if (running && running.fingerprint !== key.fingerprint) return keyReused();
    return undefined;
  }

  #abandon(pending: Pending, respond: Respond): void {
    if (pending.phase === 'done') return;
    if (pending.phase === 'running') {
      // It may yet have an effect, and then has an answer.
      pending.leaving.add(respond);
      return;
    }
    if (!pending.responders.delete(respond)) return;
    this.#defer(() => respond({ error: abandoned() }));
    if (pending.responders.size > 0) return;
    // One that is queued stays there until the next batch passes it by: a client that goes may abandon thousands at once.
    this.#retire(pending);
  }

  /** Ends the life of a request, wherever it stands. */
  #retire(pending: Pending): void {
    pending.phase = 'done';
    pending.callOff?.();
    this.#waiters.remove(pending);
    this.#unanswered.delete(pending);
    if (pending.key) this.#keyed.delete(pending.key.id);
  }

  #schedule(): void {
    if (this.#scheduled || this.#state === 'failed') return;
    this.#scheduled = true;
    this.#defer(() => void this.#run());
  }

  async #run(): Promise<void> {
    const done: [Pending, Result][] = [];
    const started = this.#clock.now();
    let requests: number;
    try {
      requests = await this.#runBatch(done);
    } catch (error) {
      return this.#fail(error);
    }
    this.#options.onBatch?.(requests, this.#clock.now() - started);
    for (const [pending, result] of done) this.#answer(pending, result);
    this.#events.publish();
    this.#scheduled = false;
    if (this.#queue.length > 0 || this.#dueNow) this.#schedule();
    else for (const wake of this.#idle.splice(0)) wake();
  }

  /** Tells how many requests it had. */
  async #runBatch(done: [Pending, Result][]): Promise<number> {
    const batch = await this.#store.begin();
    const work = new BatchWork(batch, this.#waiters, this.#events, this.#clock.wall());
    if (this.#dueNow || this.#due <= work.now) await this.#handleDue(work);
    const queue = this.#queue;
    this.#queue = [];
    const unfinished: Pending[] = [];
    let [next, requests] = [0, 0];
    while (next < queue.length && requests < limits.batchRequests && work.examined < limits.batchEntries) {
      const pending = queue[next++] as Pending;
      // Abandoned since: a caller may give up while another request of this batch awaits the store.
      if (pending.phase === 'done') continue;
      pending.phase = 'running';
      requests++;
      const step = await this.#performOne(pending, work);
      if (isFinal(step)) work.served.push([pending, step]);
      else if (step === 'wait') this.#wait(pending);
      else {
        pending.phase = 'queued';
        unfinished.push(pending);
      }
      if (!isFinal(step)) for (const respond of pending.leaving) this.#abandon(pending, respond);
    }
    await work.topUp();
    for (const [pending, result] of work.served) {
      if (pending.key && !pending.replayed && 'ok' in result)
        await this.#record(pending.key, result.ok, work);
    }
    await batch.commit();
    this.#queue = [...queue.slice(next), ...this.#queue, ...unfinished];
    done.push(...work.served);
    this.#armDue(work.due);
    return requests;
  }

  async #performOne(pending: Pending, work: BatchWork): Promise<Step> {
    try {
      if (pending.key) {
        const recorded = await work.batch.recorded(pending.key.id, work.now);
        if (recorded && recorded.fingerprint !== pending.key.fingerprint) return { error: keyReused() };
        if (recorded) {
          pending.replayed = true;
          return { ok: recorded.answer as unknown as Answer };
        }
      }
      const step = await perform(pending, work);
      if (step === 'wait' && this.#waiters.size >= limits.waiters) {
        throw new TupletError('limit', 'too many requests are waiting');
      }
      return step;
    } catch (error) {
      if (error instanceof TupletError) return { error };
      throw error;
    }
  }

  /** Files a request that found nothing. */
  #wait(pending: Pending): void {
    const { request } = pending;
    if (!('space' in request)) throw new Error(`${request.op} does not wait`);
    pending.phase = 'waiting';
    this.#waiters.add(request.space, pending);
    const timeout = 'timeout' in request ? request.timeout : undefined;
    if (timeout === undefined) return;
    pending.callOff = this.#deadlines.at(pending.arrived + timeout, () => this.#timeOut(pending));
  }

  #timeOut(pending: Pending): void {
    if (pending.phase !== 'waiting') return;
    const nothing = pending.request.op === 'takeMany' ? { entries: [] } : null;
    this.#waiters.remove(pending);
    if (pending.key) {
      // That nothing came is an answer too: a batch must record it.
      pending.phase = 'queued';
      pending.gaveUp = true;
      this.#queue.push(pending);
      this.#schedule();
    } else this.#answer(pending, { ok: nothing });
  }

  #answer(pending: Pending, result: Result): void {
    this.#retire(pending);
    for (const respond of pending.responders) respond(result);
  }

  async #record(key: RequestKey, answer: Answer, work: BatchWork): Promise<void> {
    const expires = work.now + limits.idempotencyMs;
    await work.batch.record(
      key.id,
      { fingerprint: key.fingerprint, answer: answer as unknown as Json },
      expires,
    );
    work.note(expires);
  }

  async #handleDue(work: BatchWork): Promise<void> {
    const { now } = work;
    this.#callOffDue?.();
    this.#callOffDue = undefined;
    this.#due = Number.POSITIVE_INFINITY;
    const ripe = await work.batch.ripen(now, limits.batchRequests);
    for (const { space, entry } of ripe) await work.reveal(space, entry);
    const swept = await work.batch.sweep(now, limits.batchRequests, space => this.#events.keeps(space));
    for (const { space, entry } of swept.entries) await work.happened(space, 'expired', entry);
    this.#dueNow = ripe.length === limits.batchRequests || swept.count >= limits.batchRequests;
    work.note((await work.batch.nextDue()) ?? Number.POSITIVE_INFINITY);
  }

  /** Sets the timer for the next stored deadline. It looks again every minute, since the wall clock may jump. */
  #armDue(due: number): void {
    if (due >= this.#due) return;
    this.#callOffDue?.();
    this.#due = due;
    const wait = Math.min(Math.max(due - this.#clock.wall(), 0), 60_000);
    this.#callOffDue = this.#deadlines.at(this.#clock.now() + wait, () => {
      this.#dueNow = true;
      this.#schedule();
    });
  }

  /** Nothing is known of what the batch did, and nothing else may be tried. */
  #fail(error: unknown): void {
    this.#state = 'failed';
    this.#deadlines.clear();
    const unknown = new TupletError('unavailable', 'the storage failed in the middle of this', {
      outcome: 'unknown',
      cause: error,
    });
    const untouched = new TupletError('unavailable', 'the storage failed: the server is stopping', {
      cause: error,
    });
    for (const pending of [...this.#unanswered]) {
      this.#answer(pending, { error: pending.phase === 'running' ? unknown : untouched });
    }
    this.#queue = [];
    for (const wake of this.#idle.splice(0)) wake();
    this.#options.onFault?.(error);
  }

  /** Takes no more requests, lets those under way end, and tells the waiting ones to come back. Resolves when all are answered. */
  async drain(): Promise<void> {
    if (this.#state === 'open') this.#state = 'draining';
    if (this.#scheduled && this.#state !== 'failed')
      await new Promise<void>(resolve => this.#idle.push(resolve));
    this.#deadlines.clear();
    const error = new TupletError('unavailable', 'the server is draining: come back soon');
    for (const pending of [...this.#waiters.all()]) this.#answer(pending, { error });
  }
}

const abandoned = () => new TupletError('aborted', 'the caller gave up; nothing was done');
