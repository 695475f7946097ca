/**
 * What the requests of one batch share: the store's batch, the time, how much was examined, and who was served.
 * A tuple that becomes visible meets the waiters here, before anybody else can see it.
 */
import { limits } from '../../shared/limits.js';
import type { EncodedTuple, Entry, EventType } from '../../shared/operations.js';
import type { Tuple } from '../../shared/tuple.js';
import type { Batch, Found, Lookup } from '../store/store.js';
import type { EventLog } from './event-log.js';
import type { Pending, Result } from './pending.js';
import type { Waiters } from './waiters.js';

export class BatchWork {
  examined = 0;
  /** Who is to be answered after the commit. */
  readonly served: [Pending, Result][] = [];
  /** The earliest stored deadline that this batch set. */
  due = Number.POSITIVE_INFINITY;
  /** Served `takeMany` that may have room for more. */
  readonly #roomy: Pending[] = [];

  constructor(
    readonly batch: Batch,
    readonly waiters: Waiters<Pending>,
    readonly events: EventLog,
    /** Milliseconds since 1970: one instant for the whole batch. */
    readonly now: number,
  ) {}

  note(due: number): void {
    this.due = Math.min(this.due, due);
  }

  /** Goes on with a request's search for one slice. */
  async search(
    pending: Pending,
    options: Pick<Lookup, 'space' | 'template' | 'order' | 'limit'> &
      Partial<Pick<Lookup, 'among' | 'bytes'>>,
  ): Promise<Found> {
    const found = await this.batch.find({
      among: 'visible',
      bytes: limits.answerBytes,
      ...options,
      purpose: pending.takes ? 'take' : 'read',
      after: pending.cursor,
      budget: limits.sliceEntries,
      now: this.now,
    });
    this.examined += found.examined;
    return found;
  }

  async take(space: string, entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) {
      const removed = await this.batch.remove(space, entry.id, this.now);
      if (!removed) throw new Error('what was found can be removed');
    }
    await this.happened(space, 'taken', ...entries);
  }

  /** Keeps the events of a space from now on, and gives the number behind which they are. */
  async retain(space: string): Promise<number> {
    // What happened while nobody watched has no numbers. One is left out for it, so that who asks for events from before is told.
    if (!this.events.keeps(space)) await this.batch.takeEventNumber();
    const last = await this.batch.lastEventNumber();
    this.events.retain(space, last);
    return last;
  }

  /** Numbers what has happened, for those who watch the space. */
  async happened(space: string, type: EventType, ...entries: readonly Entry[]): Promise<void> {
    if (!this.events.keeps(space)) return;
    for (const entry of entries) this.events.note(space, await this.batch.takeEventNumber(), type, entry);
  }

  /** Puts tuples into a space, visible at once. One that meets a taker is never stored. */
  async publish(
    space: string,
    tuples: readonly EncodedTuple[],
    expires: number | undefined,
  ): Promise<Entry[]> {
    const created = this.now;
    if (expires !== undefined) this.note(expires);
    // The common case, and the cheap one, however many wait for something else.
    if (!tuples.some(({ tuple }) => this.waiters.wants(space, tuple))) {
      const entries = await this.batch.insert(
        space,
        tuples.map(tuple => ({ tuple, created, expires })),
      );
      await this.happened(space, 'out', ...entries);
      return [...entries];
    }
    const published: Entry[] = [];
    // A space that may not be made is refused here, before anybody is served.
    await this.batch.insert(space, []);
    for (const tuple of tuples) {
      const { readers, taker } = this.#claim(space, tuple.tuple);
      const entry = taker ? await this.#passing(tuple, expires) : await this.#stored(space, tuple, expires);
      await this.happened(space, 'out', entry);
      if (taker) await this.happened(space, 'taken', entry);
      for (const waiter of taker ? [...readers, taker] : readers) this.#serve(waiter, entry);
      published.push(entry);
    }
    return published;
  }

  async #passing({ tuple }: EncodedTuple, expires: number | undefined): Promise<Entry> {
    const id = await this.batch.takeNumber();
    const entry = { id, position: id, tuple, returns: 0, created: this.now };
    return expires === undefined ? entry : { ...entry, expires };
  }

  async #stored(space: string, tuple: EncodedTuple, expires: number | undefined): Promise<Entry> {
    const [entry] = await this.batch.insert(space, [{ tuple, created: this.now, expires }]);
    return entry as Entry;
  }

  /** Shows an entry that has just become visible in the store to the waiters. */
  async reveal(space: string, entry: Entry): Promise<void> {
    const { readers, taker } = this.#claim(space, entry.tuple);
    await this.happened(space, 'out', entry);
    if (taker) await this.take(space, [entry]);
    for (const waiter of taker ? [...readers, taker] : readers) this.#serve(waiter, entry);
  }

  /** Whom a tuple serves. They wait no longer: neither their deadline nor their caller can end them while the store is awaited. */
  #claim(space: string, tuple: Tuple): { readers: Pending[]; taker: Pending | undefined } {
    const claimed = this.waiters.waitingFor(space, tuple);
    for (const waiter of claimed.taker ? [...claimed.readers, claimed.taker] : claimed.readers) {
      this.waiters.remove(waiter);
      waiter.callOff?.();
      waiter.phase = 'running';
    }
    return claimed;
  }

  #serve(waiter: Pending, entry: Entry): void {
    if (waiter.request.op !== 'takeMany') return void this.served.push([waiter, { ok: entry }]);
    waiter.entries.push(entry);
    this.#roomy.push(waiter);
  }

  /** Once all tuples of the batch are there: whoever takes many gets what else there is. */
  async topUp(): Promise<void> {
    for (const pending of this.#roomy) {
      const { request, entries } = pending;
      if (request.op !== 'takeMany') throw new Error('only takeMany has room');
      if (request.limit > 1) {
        pending.cursor = undefined;
        const limit = request.limit - 1;
        const found = await this.search(pending, {
          space: request.space,
          template: request.template,
          order: 'oldest',
          limit,
        });
        await this.take(request.space, found.entries);
        entries.push(...found.entries);
      }
      this.served.push([pending, { ok: { entries } }]);
    }
  }
}
