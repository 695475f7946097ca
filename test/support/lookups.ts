/** Short ways to ask a store, and the naive answers to hold against its own. */
import { expect } from 'vitest';
import type { Batch, Cursor, Found, Lookup, NewEntry, Store } from '../../server/store/store.js';
import { compareJson, type Json } from '../../shared/json.js';
import type { Entry, Order } from '../../shared/operations.js';
import { matches, parseTemplate, type Template } from '../../shared/template.js';
import { encodeTuple, type Tuple } from '../../shared/tuple.js';

export const now = 1_000_000;

export const everything = parseTemplate([{ $rest: true }]);

/** A tuple as it comes out of a parser: -0 has become 0. */
export const newEntry = (tuple: readonly Json[], times: Partial<NewEntry> = {}): NewEntry => {
  const text = encodeTuple(tuple);
  return { tuple: { tuple: JSON.parse(text) as Tuple, text }, created: now, ...times };
};

/** A lookup with no bounds that matter, save those given. */
export const lookup = (space: string, options: Partial<Lookup> = {}): Lookup => ({
  space,
  template: everything,
  order: 'oldest',
  purpose: 'read',
  among: 'visible',
  limit: 1_000_000,
  bytes: Number.POSITIVE_INFINITY,
  budget: 1_000_000,
  now,
  ...options,
});

/** Runs one batch and commits it. */
export async function inBatch<T>(store: Store, work: (batch: Batch) => T | Promise<T>): Promise<T> {
  const batch = await store.begin();
  const result = await work(batch);
  await batch.commit();
  return result;
}

export const insert = (
  store: Store,
  space: string,
  ...tuples: readonly Json[][]
): Promise<readonly Entry[]> =>
  inBatch(
    store,
    async batch =>
      await batch.insert(
        space,
        tuples.map(tuple => newEntry(tuple)),
      ),
  );

export const find = (store: Store, space: string, options: Partial<Lookup> = {}): Promise<Found> =>
  inBatch(store, async batch => await batch.find(lookup(space, options)));

/** Turns the pages of a lookup to the end, or to the one entry that an order by field finds. `sizes` bounds the next page. */
export async function findPaged(
  batch: Batch,
  asked: Lookup,
  sizes: () => { limit?: number; budget: number },
): Promise<Entry[]> {
  const entries: Entry[] = [];
  let after: Cursor | undefined;
  do {
    const found = await batch.find({ ...asked, ...sizes(), after });
    entries.push(...found.entries);
    after = found.cursor ?? undefined;
  } while (after && (typeof asked.order === 'string' || entries.length === 0));
  return entries;
}

/** All ids, and the first few entries in full. */
export function expectSame(found: readonly Entry[], expected: readonly Entry[]): void {
  const ids = (entries: readonly Entry[]) => entries.map(({ id }) => id).join(' ');
  expect(ids(found)).toBe(ids(expected));
  expect(found.slice(0, 3)).toEqual(expected.slice(0, 3));
}

export async function countPaged(
  batch: Batch,
  asked: Pick<Lookup, 'space' | 'template' | 'now'>,
  budget: () => number,
): Promise<number> {
  let count = 0;
  let after: Cursor | undefined;
  do {
    const tally = await batch.count({ ...asked, budget: budget(), after });
    count += tally.count;
    after = tally.cursor ?? undefined;
  } while (after);
  return count;
}

/** Those of the entries that match, in order. */
export const naiveFind = (entries: readonly Entry[], template: Template, order: Order): Entry[] =>
  entries.filter(({ tuple }) => matches(template, tuple)).sort((a, b) => compareEntries(a, b, order));

function compareEntries(a: Entry, b: Entry, order: Order): number {
  const byPosition = (a.position ?? a.id) - (b.position ?? b.id);
  if (typeof order === 'string') return order === 'oldest' ? byPosition : -byPosition;
  const [left, right] = [a.tuple[order.field], b.tuple[order.field]];
  if (left === undefined || right === undefined) {
    return Number(left === undefined) - Number(right === undefined) || byPosition;
  }
  const byValue = compareJson(left, right);
  return (order.dir === 'asc' ? byValue : -byValue) || byPosition;
}
