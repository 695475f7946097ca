/**
 * The port between the engine, which decides, and a store, which keeps.
 *
 * Contract, held by test/contract/store.ts for every store:
 * - Work is done in batches. The engine has one batch open at a time; everything in it becomes durable together when `commit`
 *   returns, and nothing of it is left if the process dies before. A batch sees its own writes.
 * - Methods are called in the order in which their effects must show. A store may answer with a promise, and may send writes late,
 *   as long as later reads of the batch see them and `commit` fails if one of them did.
 * - Ids and positions come from one sequence of the store, which only grows: over restarts, crashes and nodes. A position is given
 *   when an entry becomes visible, and no lower one ever becomes visible after a higher one in the same space.
 * - `find` narrows by indexes and decides by `matches`. It looks at no more than `budget` entries at a time, so that no request stalls
 *   the others; `cursor` says where to go on.
 * - An entry whose `expires` has passed is never found, whether or not it was swept.
 * - Any error but a TupletError is a storage fault: the engine stops, since the outcome of the batch is unknown.
 */
import type { Json } from '../../shared/json.js';
import type { EncodedTuple, Entry, Explanation, Order } from '../../shared/operations.js';
import type { Template } from '../../shared/template.js';

export type MaybePromise<T> = T | Promise<T>;

/** Where a search goes on: behind this point of its order. */
export interface Cursor {
  readonly position: number;
  /** In an order by field: the value at `position`; undefined among the tuples that have no such field. */
  readonly value?: Json | undefined;
  /** Where no index keeps the order: the best entry so far. */
  readonly best?: Entry | undefined;
}

export interface Lookup {
  readonly space: string;
  readonly template: Template;
  readonly order: Order;
  /** `take`: what is found will be removed in this batch, and no other node may find it meanwhile. */
  readonly purpose: 'read' | 'take';
  /** Hidden entries are those that wait for their time. */
  readonly among: 'visible' | 'hidden';
  readonly after?: Cursor | undefined;
  /** Most entries to find; an order by field finds one. */
  readonly limit: number;
  /** The search ends with the entry that brings the texts of what was found to this size. */
  readonly bytes: number;
  /** Most entries to examine. */
  readonly budget: number;
  /** Milliseconds since 1970: what has expired by then is not found. */
  readonly now: number;
}

export type CountLookup = Pick<Lookup, 'space' | 'template' | 'after' | 'budget' | 'now'>;

export interface Found {
  readonly entries: readonly Entry[];
  /** Entries looked at. */
  readonly examined: number;
  /** Whether `limit` or `bytes` ended the search. */
  readonly full: boolean;
  /** Where to go on, or null: there is nothing behind. */
  readonly cursor: Cursor | null;
}

export interface Tally {
  readonly count: number;
  readonly examined: number;
  readonly cursor: Cursor | null;
}

export interface NewEntry {
  readonly tuple: EncodedTuple;
  readonly created: number;
  /** Milliseconds since 1970 at which it becomes visible; without it, at once. */
  readonly visible?: number | undefined;
  readonly expires?: number | undefined;
}

/** The answer to a request that came with a key, kept so that a retry gets it again. */
export interface RecordedAnswer {
  readonly fingerprint: string;
  readonly answer: Json;
}

export interface Swept {
  readonly entries: readonly { readonly space: string; readonly entry: Entry }[];
  /** Entries and answers that were deleted, hidden and unwanted ones too. */
  readonly count: number;
}

export interface Batch {
  find(lookup: Lookup): MaybePromise<Found>;
  /** Counts the visible matches. */
  count(lookup: CountLookup): MaybePromise<Tally>;
  /** How `find` would search. */
  explain(space: string, template: Template, order: Order): MaybePromise<Explanation>;

  /** Gives ids, and positions to what is visible at once, in the order of the list. Makes the space, or throws `limit`. */
  insert(space: string, entries: readonly NewEntry[]): MaybePromise<readonly Entry[]>;
  /** An id, as insert would give it, for an entry that is taken before it is stored. It serves as its position too. */
  takeNumber(): MaybePromise<number>;
  /** The last number given. */
  lastNumber(): MaybePromise<number>;
  /** The number of an event, from a sequence of their own that grows likewise; and the last one given. */
  takeEventNumber(): MaybePromise<number>;
  lastEventNumber(): MaybePromise<number>;
  /** An entry by its id, visible or not. */
  entry(space: string, id: number, now: number): MaybePromise<Entry | null>;
  /** Removes an entry, visible or not, and tells whether it was there. */
  remove(space: string, id: number, now: number): MaybePromise<boolean>;
  /** Sets the end of an entry, and tells whether it was there. */
  renew(space: string, id: number, expires: number, now: number): MaybePromise<boolean>;

  /** Makes up to `limit` delayed entries visible whose time has come, in the order of their times. */
  ripen(
    now: number,
    limit: number,
  ): MaybePromise<readonly { readonly space: string; readonly entry: Entry }[]>;
  /** Deletes up to `limit` entries and as many recorded answers whose time has passed; shows the visible ones of the `wanted` spaces. */
  sweep(now: number, limit: number, wanted: (space: string) => boolean): MaybePromise<Swept>;
  /** The next time at which `ripen` or `sweep` has something to do: milliseconds since 1970, or null. */
  nextDue(): MaybePromise<number | null>;

  recorded(key: string, now: number): MaybePromise<RecordedAnswer | null>;
  record(key: string, answer: RecordedAnswer, expires: number): MaybePromise<void>;

  /** Visible entries of a space. */
  size(space: string): MaybePromise<number>;
  spaces(): MaybePromise<readonly { readonly space: string; readonly tuples: number }[]>;

  /** Makes everything durable. */
  commit(): MaybePromise<void>;
}

export interface Store {
  begin(): MaybePromise<Batch>;
  /** Leaves the files as they are; no batch is open. */
  close(): MaybePromise<void>;
}
