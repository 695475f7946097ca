/**
 * What every store keeps to: the contract of server/store/store.ts, clause by clause, through nothing but the port.
 * `open` gives an empty store and sees to its end. `reopen` gives it as the next process finds it if this one dies at this instant; what
 * keeps nothing has none.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Store } from '../../server/store/store.js';
import { parseTemplate } from '../../shared/template.js';
import { anyOrder, anyTuple, templateFor } from '../support/arbitraries.js';
import {
  countPaged,
  everything,
  expectSame,
  find,
  findPaged,
  inBatch,
  insert,
  lookup,
  newEntry,
  now,
} from '../support/lookups.js';

export interface OpenStore {
  readonly store: Store;
  readonly reopen?: () => Promise<OpenStore>;
}

export type OpenEmpty = () => Promise<OpenStore>;

const far = now + 1_000;
const counting = { space: 's', template: everything, budget: 99, now };

const all = () => true;

/** `keeps`: what is committed outlives the process. */
export function storeContract(name: string, open: OpenEmpty, { keeps }: { readonly keeps: boolean }): void {
  describe(`store contract: ${name}`, () => {
    describe('entries', () => entriesContract(open));
    describe('numbers', () => numbersContract(open));
    describe('times', () => timesContract(open));
    describe('answers', () => answersContract(open));
    describe('sizes', () => sizesContract(open));
    describe('pages', () => pagesContract(open));
    if (keeps) describe('crashes', () => crashContract(open));
  });
}

function entriesContract(open: OpenEmpty): void {
  test('what is inserted is found, oldest first, in its own space only', async () => {
    const { store } = await open();
    await insert(store, 'jobs', ['a', 1], ['b', 2]);
    await insert(store, 'other', ['c']);
    const { entries, cursor } = await find(store, 'jobs');
    expect(entries).toMatchObject([
      { tuple: ['a', 1], returns: 0, created: now },
      { tuple: ['b', 2], returns: 0, created: now },
    ]);
    expect(entries[0]).not.toHaveProperty('expires');
    expect(cursor).toBeNull();
  });

  test('insert answers with the entries that find gives', async () => {
    const { store } = await open();
    const made = await inBatch(store, async batch => [
      ...(await batch.insert('s', [
        newEntry(['a', { b: [null, 1.5, '\0é\u{1f600}'] }], { expires: far }),
        newEntry([0]),
      ])),
    ]);
    expect((await find(store, 's')).entries).toEqual(made);
    expect(made[0]?.expires).toBe(far);
  });

  test('a space that nobody wrote to is empty, and asking does not make it', async () => {
    const { store } = await open();
    expect((await find(store, 's')).entries).toEqual([]);
    expect((await find(store, 's', { among: 'hidden' })).entries).toEqual([]);
    await inBatch(store, async batch => {
      expect(await batch.count(counting)).toMatchObject({ count: 0, cursor: null });
      expect(await batch.remove('s', 1, now)).toBe(false);
      expect(await batch.renew('s', 1, far, now)).toBe(false);
      expect(await batch.size('s')).toBe(0);
      expect(await batch.spaces()).toEqual([]);
    });
  });

  test('a batch sees its own writes', async () => {
    const { store } = await open();
    const [old] = await insert(store, 's', ['old']);
    await inBatch(store, async batch => {
      const [fresh] = await batch.insert('s', [newEntry(['new'])]);
      expect((await batch.find(lookup('s'))).entries).toEqual([old, fresh]);
      expect(await batch.remove('s', old?.id as number, now)).toBe(true);
      expect(await batch.renew('s', fresh?.id as number, far, now)).toBe(true);
      expect((await batch.find(lookup('s'))).entries).toEqual([{ ...fresh, expires: far }]);
      expect(await batch.count(counting)).toMatchObject({ count: 1 });
      expect(await batch.size('s')).toBe(1);
    });
  });

  test('an entry is found by space and id, visible or not, until it ends', async () => {
    const { store } = await open();
    await inBatch(store, async batch => {
      const made = await batch.insert('s', [
        newEntry(['a'], { expires: far }),
        newEntry(['b'], { visible: far }),
      ]);
      for (const entry of made) expect(await batch.entry('s', entry.id, now)).toEqual(entry);
      const [a, b] = made.map(({ id }) => id) as [number, number];
      expect(await batch.entry('s', a, far)).toBeNull();
      expect(await batch.entry('other', b, now)).toBeNull();
      await batch.remove('s', b, now);
      expect(await batch.entry('s', b, now)).toBeNull();
    });
  });

  test('remove and renew find an entry by space and id, once', async () => {
    const { store } = await open();
    const [entry] = await insert(store, 's', ['a']);
    const id = entry?.id as number;
    await insert(store, 'other', ['b']);
    await inBatch(store, async batch => {
      expect(await batch.remove('other', id, now)).toBe(false);
      expect(await batch.renew('other', id, far, now)).toBe(false);
      expect(await batch.remove('s', id + 1_000, now)).toBe(false);
      expect(await batch.remove('s', id, now)).toBe(true);
      expect(await batch.remove('s', id, now)).toBe(false);
      expect(await batch.renew('s', id, far, now)).toBe(false);
    });
  });
}

function numbersContract(open: OpenEmpty): void {
  test('ids and positions grow and are never given twice', async () => {
    const { store } = await open();
    const given: number[] = [];
    for (let round = 0; round < 3; round++) {
      await inBatch(store, async batch => {
        given.push(await batch.takeNumber());
        const made = await batch.insert('s', [newEntry([1]), newEntry([2], { visible: now }), newEntry([3])]);
        expect(made.map(({ position }) => position)).toEqual([made[0]?.id, null, made[2]?.id]);
        given.push(...made.map(({ id }) => id));
        for (const { entry } of await batch.ripen(now, 9)) given.push(entry.position as number);
        expect(await batch.lastNumber()).toBe(given.at(-1));
      });
    }
    expect(given).toEqual([...new Set(given)].sort((a, b) => a - b));
  });

  test.each([
    ['number', 'takeNumber', 'lastNumber'],
    ['number of an event', 'takeEventNumber', 'lastEventNumber'],
  ] as const)('the last %s is never below one that was given, also over a crash', async (_, take, last) => {
    let opened = await open();
    let given = 0;
    for (let life = 0; life < 3; life++) {
      const { store, reopen } = opened;
      await inBatch(store, async batch => {
        expect(await batch[last]()).toBeGreaterThanOrEqual(given);
        for (let count = 0; count < 3_000; count++) {
          const number = await batch[take]();
          if (number <= given) expect.fail(`${number} came after ${given}`);
          given = number;
        }
        expect(await batch[last]()).toBe(given);
      });
      if (!reopen) break;
      // What an uncommitted batch was given may be given again: nobody has seen it.
      const batch = await store.begin();
      await batch[take]();
      opened = await reopen();
    }
  });
}

function timesContract(open: OpenEmpty): void {
  test('an expired entry is never found, swept or not; to the last millisecond it is', async () => {
    const { store } = await open();
    await inBatch(store, async batch => {
      const [entry] = await batch.insert('s', [newEntry(['a'], { expires: far })]);
      const id = entry?.id as number;
      const at = async (time: number) => [
        (await batch.find(lookup('s', { now: time }))).entries.length,
        (await batch.find(lookup('s', { now: time, order: 'newest' }))).entries.length,
        (await batch.find(lookup('s', { now: time, limit: 1, order: { field: 0, dir: 'asc' } }))).entries
          .length,
        (await batch.find(lookup('s', { now: time, limit: 1, order: { field: 5, dir: 'asc' } }))).entries
          .length,
        (await batch.count({ ...counting, now: time })).count,
      ];
      expect(await at(far - 1)).toEqual([1, 1, 1, 1, 1]);
      expect(await at(far)).toEqual([0, 0, 0, 0, 0]);
      expect(await batch.renew('s', id, far + 9, far)).toBe(false);
      expect(await batch.remove('s', id, far)).toBe(false);
      expect(await batch.renew('s', id, far + 9, far - 1)).toBe(true);
      expect(await at(far + 8)).toEqual([1, 1, 1, 1, 1]);
      expect(await at(far + 9)).toEqual([0, 0, 0, 0, 0]);
    });
  });

  test('a hidden entry is found among the hidden only, until it is ripe', async () => {
    const { store } = await open();
    await inBatch(store, async batch => {
      const [later] = await batch.insert('s', [newEntry(['later'], { visible: far })]);
      const [sooner] = await batch.insert('s', [newEntry(['sooner'], { visible: far - 1 })]);
      const [, between] = [sooner, ...(await batch.insert('s', [newEntry(['between'])]))];
      expect((await batch.find(lookup('s'))).entries).toEqual([between]);
      expect((await batch.find(lookup('s', { among: 'hidden' }))).entries).toEqual([later, sooner]);
      expect(await batch.ripen(far - 2, 9)).toEqual([]);
      const ripe = await batch.ripen(far, 9);
      expect(ripe.map(({ space, entry }) => [space, entry.id])).toEqual([
        ['s', sooner?.id],
        ['s', later?.id],
      ]);
      expect((await batch.find(lookup('s'))).entries).toEqual([between, ...ripe.map(({ entry }) => entry)]);
      expect((await batch.find(lookup('s', { among: 'hidden' }))).entries).toEqual([]);
      expect(await batch.ripen(far, 9)).toEqual([]);
    });
  });

  test('ripen does at most `limit`, the first in time first', async () => {
    const { store } = await open();
    await inBatch(store, async batch => {
      for (const visible of [3, 1, 2, 1])
        await batch.insert('s', [newEntry([visible], { visible: now + visible })]);
      const first = await batch.ripen(far, 3);
      expect(first.map(({ entry }) => entry.tuple)).toEqual([[1], [1], [2]]);
      expect((await batch.ripen(far, 3)).map(({ entry }) => entry.tuple)).toEqual([[3]]);
    });
  });

  test('what has expired before it was shown is never shown', async () => {
    const { store } = await open();
    await inBatch(store, async batch => {
      await batch.insert('s', [newEntry(['a'], { visible: now + 1, expires: now + 2 })]);
      expect((await batch.find(lookup('s', { among: 'hidden', now: now + 2 }))).entries).toEqual([]);
      expect(await batch.ripen(now + 2, 9)).toEqual([]);
      expect(await batch.size('s')).toBe(0);
      expect((await batch.sweep(now + 2, 9, all)).count).toBe(1);
      expect(await batch.nextDue()).toBeNull();
    });
  });

  test('hidden entries can be removed and renewed', async () => {
    const { store } = await open();
    await inBatch(store, async batch => {
      const made = await batch.insert('s', [
        newEntry(['a'], { visible: far }),
        newEntry(['b'], { visible: far }),
      ]);
      const [gone, kept] = made.map(({ id }) => id) as [number, number];
      expect(await batch.remove('s', gone, now)).toBe(true);
      expect(await batch.renew('s', kept, far + 9, now)).toBe(true);
      expect((await batch.ripen(far, 9)).map(({ entry }) => [entry.id, entry.expires])).toEqual([
        [kept, far + 9],
      ]);
    });
  });

  test('sweep deletes what has expired, at most `limit` of a kind, and tells how many', async () => {
    const { store } = await open();
    await inBatch(store, async batch => {
      for (const expires of [1, 2, 3, 9])
        await batch.insert('s', [newEntry([expires], { expires: now + expires })]);
      await batch.insert('s', [newEntry(['for ever'])]);
      expect((await batch.sweep(now, 9, all)).count).toBe(0);
      expect((await batch.sweep(now + 3, 2, all)).count).toBe(2);
      expect(await batch.size('s')).toBe(3);
      expect((await batch.sweep(now + 3, 2, all)).count).toBe(1);
      expect((await batch.sweep(now + 3, 2, all)).count).toBe(0);
      expect((await batch.find(lookup('s', { now: 0 }))).entries.map(({ tuple }) => tuple)).toEqual([
        [9],
        ['for ever'],
      ]);
    });
  });

  test('sweep shows what it deletes: the visible entries of the spaces that are wanted', async () => {
    const { store } = await open();
    await inBatch(store, async batch => {
      const [seen] = await batch.insert('s', [newEntry(['seen'], { expires: far })]);
      await batch.insert('s', [newEntry(['hidden'], { expires: far, visible: far })]);
      await batch.insert('t', [newEntry(['elsewhere'], { expires: far })]);
      await batch.record('key', { fingerprint: 'f', answer: null }, far);
      expect(await batch.sweep(far, 9, space => space === 's')).toEqual({
        entries: [{ space: 's', entry: seen }],
        count: 4,
      });
    });
  });

  test('the next due time is the first at which anything ripens or expires', async () => {
    const { store } = await open();
    await inBatch(store, async batch => {
      expect(await batch.nextDue()).toBeNull();
      await batch.insert('s', [newEntry(['for ever'])]);
      expect(await batch.nextDue()).toBeNull();
      await batch.record('key', { fingerprint: 'f', answer: null }, now + 30);
      expect(await batch.nextDue()).toBe(now + 30);
      const [entry] = await batch.insert('s', [newEntry(['a'], { expires: now + 20 })]);
      expect(await batch.nextDue()).toBe(now + 20);
      await batch.insert('s', [newEntry(['b'], { visible: now + 10 })]);
      expect(await batch.nextDue()).toBe(now + 10);
      await batch.ripen(now + 10, 9);
      expect(await batch.nextDue()).toBe(now + 20);
      await batch.remove('s', entry?.id as number, now);
      expect(await batch.nextDue()).toBe(now + 30);
      await batch.sweep(now + 30, 9, all);
      expect(await batch.nextDue()).toBeNull();
    });
  });
}

function answersContract(open: OpenEmpty): void {
  test('a recorded answer is kept to its time, and then swept', async () => {
    const { store } = await open();
    const answer = { fingerprint: 'f', answer: { entries: [null, 'é\0', -1.5] } };
    await inBatch(store, async batch => {
      expect(await batch.recorded('key', now)).toBeNull();
      await batch.record('key', answer, far);
      expect(await batch.recorded('key', now)).toEqual(answer);
      expect(await batch.recorded('Key', now)).toBeNull();
      expect(await batch.recorded('key', far - 1)).toEqual(answer);
      expect(await batch.recorded('key', far)).toBeNull();
    });
    await inBatch(store, async batch => {
      expect((await batch.sweep(far - 1, 9, all)).count).toBe(0);
      expect((await batch.sweep(far, 9, all)).count).toBe(1);
      expect(await batch.recorded('key', now)).toBeNull();
    });
  });

  test('null is an answer, and a later answer takes the place of an expired one', async () => {
    const { store } = await open();
    await inBatch(store, async batch => {
      await batch.record('key', { fingerprint: 'old', answer: null }, now);
      await batch.record('key', { fingerprint: 'new', answer: null }, far);
      expect(await batch.recorded('key', now)).toEqual({ fingerprint: 'new', answer: null });
    });
  });
}

function sizesContract(open: OpenEmpty): void {
  test('sizes count visible entries, whatever befalls them', async () => {
    const { store } = await open();
    const sizes = () => inBatch(store, async batch => [await batch.size('a'), await batch.spaces()]);
    const is = (a: number, b: number) => [
      a,
      [
        { space: 'a', tuples: a },
        { space: 'b', tuples: b },
      ],
    ];
    const made = await insert(store, 'a', [1], [2], [3]);
    await insert(store, 'b', [1]);
    expect(await sizes()).toEqual(is(3, 1));
    await inBatch(store, batch => batch.insert('b', [newEntry([2], { visible: far, expires: far + 1 })]));
    expect(await sizes()).toEqual(is(3, 1));
    await inBatch(store, batch => batch.remove('a', made[0]?.id as number, now));
    expect(await sizes()).toEqual(is(2, 1));
    await inBatch(store, batch => batch.ripen(far, 9));
    expect(await sizes()).toEqual(is(2, 2));
    await inBatch(store, batch => batch.sweep(far + 1, 9, all));
    expect(await sizes()).toEqual(is(2, 1));
  });

  test('spaces come by name, the empty ones too', async () => {
    const { store } = await open();
    for (const space of ['b', 'a-b', 'a', 'B', 'a.b', '_']) await insert(store, space, [1]);
    const [entry] = (await find(store, 'b')).entries;
    await inBatch(store, batch => batch.remove('b', entry?.id as number, now));
    expect(await inBatch(store, async batch => await batch.spaces())).toEqual(
      ['B', '_', 'a', 'a-b', 'a.b', 'b'].map(space => ({ space, tuples: space === 'b' ? 0 : 1 })),
    );
  });
}

function pagesContract(open: OpenEmpty): void {
  test('`limit` and `bytes` end a search with the entry that reaches them', async () => {
    const { store } = await open();
    let made = await insert(store, 's', ['aaaa'], ['bbbb'], ['cccc'], ['dddd']);
    for (const among of ['visible', 'hidden'] as const) {
      const limited = await find(store, 's', { limit: 2, among });
      expect(limited.entries).toEqual(made.slice(0, 2));
      expect(limited.full).toBe(true);
      expect(limited.cursor).not.toBeNull();
      const sized = await find(store, 's', { bytes: '["aaaa"]'.length * 2 + 1, among });
      expect(sized.entries).toEqual(made.slice(0, 3));
      expect(sized.full).toBe(true);
      expect((await find(store, 's', { after: sized.cursor ?? undefined, among })).entries).toEqual(
        made.slice(3),
      );
      expect(await find(store, 's', { among })).toMatchObject({ entries: made, full: false, cursor: null });
      await inBatch(store, async batch => {
        for (const { id } of made) await batch.remove('s', id, now);
        const tuples = made.map(({ tuple }) => newEntry(tuple, { visible: far }));
        made = await batch.insert('s', tuples);
      });
    }
  });

  test('the budget bounds what is examined, also when nothing matches', async () => {
    const { store } = await open();
    await insert(store, 's', ...Array.from({ length: 50 }, (_, at) => ['a', at]));
    const template = parseTemplate(['a', { $not: { $type: 'number' } }]);
    const found = await find(store, 's', { template, budget: 7 });
    expect(found).toMatchObject({ entries: [], examined: 7, full: false });
    expect(found.cursor).not.toBeNull();
    await inBatch(store, async batch => {
      expect(await batch.count({ ...counting, budget: 7 })).toMatchObject({ count: 7, examined: 7 });
    });
  });

  test('small pages hold the same as one large one', async () => {
    await fc.assert(
      fc.asyncProperty(anyCrowd, async ({ tuples, templates, order, sizes }) => {
        const { store } = await open();
        await inBatch(store, async batch => {
          for (const [at, tuple] of tuples.entries()) {
            const times = [{}, {}, { expires: now }, { visible: far }][at % 4];
            await batch.insert('s', [newEntry(tuple, times)]);
          }
          let page = 0;
          const next = () => sizes[page++ % sizes.length] as number;
          for (const template of templates) {
            for (const among of ['visible', 'hidden'] as const) {
              const asked = lookup('s', { template, order: among === 'hidden' ? 'oldest' : order, among });
              const paging = typeof asked.order === 'string';
              const { entries } = await batch.find(paging ? asked : { ...asked, limit: 1 });
              const paged = await findPaged(batch, asked, () => ({
                limit: paging ? next() : 1,
                budget: next(),
              }));
              expectSame(paged, entries);
            }
            const { count } = await batch.count({ ...counting, template, budget: 1_000 });
            expect(await countPaged(batch, { space: 's', template, now }, next)).toBe(count);
          }
        });
      }),
      { numRuns: 20, interruptAfterTimeLimit: 15_000 },
    );
  });
}

const anyCrowd = fc.array(anyTuple, { minLength: 20, maxLength: 60, size: 'max' }).chain(tuples =>
  fc.record({
    tuples: fc.constant(tuples),
    templates: fc.array(
      templateFor(tuples).map(source => parseTemplate(source)),
      { minLength: 4, maxLength: 4 },
    ),
    order: anyOrder,
    sizes: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 5, maxLength: 9 }),
  }),
);

function crashContract(open: OpenEmpty): void {
  test('what was committed is there after a crash, and nothing of what was not', async () => {
    const { store, reopen } = await open();
    if (!reopen) throw new Error('a store that keeps can be reopened');
    const [kept, gone] = await insert(store, 's', ['kept'], ['gone']);
    await inBatch(store, async batch => {
      await batch.remove('s', gone?.id as number, now);
      await batch.renew('s', kept?.id as number, far, now);
      await batch.insert('s', [newEntry(['hidden'], { visible: far })]);
      await batch.record('key', { fingerprint: 'f', answer: 1 }, far);
    });
    const batch = await store.begin();
    await batch.insert('s', [newEntry(['uncommitted'])]);
    await batch.insert('unknown', [newEntry(['uncommitted'])]);
    await batch.remove('s', kept?.id as number, now);
    await batch.record('other', { fingerprint: 'f', answer: 1 }, far);

    const { store: next } = await reopen();
    expect((await find(next, 's')).entries).toEqual([{ ...kept, expires: far }]);
    expect((await find(next, 's', { among: 'hidden' })).entries).toMatchObject([{ tuple: ['hidden'] }]);
    await inBatch(next, async later => {
      expect(await later.recorded('key', now)).toEqual({ fingerprint: 'f', answer: 1 });
      expect(await later.recorded('other', now)).toBeNull();
      expect(await later.spaces()).toEqual([{ space: 's', tuples: 1 }]);
      const [fresh] = await later.insert('s', [newEntry(['fresh'])]);
      expect(fresh?.position).toBeGreaterThan(gone?.position as number);
    });
  });
}
