/**
 * Every search of a store against the naive answer: filter by `matches`, sort by `compareJson`. Crowds of random tuples, some of them
 * expired, some hidden; random templates made from them; every order; random pages.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Batch } from '../../server/store/store.js';
import type { Explanation, Order } from '../../shared/operations.js';
import { parseTemplate, type Template } from '../../shared/template.js';
import { anyOrder, anyTuple, templateFor } from '../support/arbitraries.js';
import {
  countPaged,
  expectSame,
  findPaged,
  inBatch,
  lookup,
  naiveFind,
  newEntry,
  now,
} from '../support/lookups.js';
import type { OpenEmpty } from './store.js';

const keyedFields = 4;

/** The kinds of pattern that an index serves after exact fields. */
const ranging = new Set(['range', 'prefix']);

export function searchContract(name: string, open: OpenEmpty): void {
  describe(`searches: ${name}`, () => {
    test('find what a naive search finds, in its order, however they are paged', async () => {
      const tally = { lookups: 0, matched: 0, several: 0, turned: 0 };
      const property = fc.asyncProperty(anyCrowd, async ({ tuples, fates, lookups, sizes }) => {
        const { store } = await open();
        await inBatch(store, async batch => {
          const crowd = await settle(batch, tuples, fates);
          let page = 0;
          const next = () => sizes[page++ % sizes.length] as number;
          for (const { template, order } of lookups) {
            const expected = naiveFind(crowd.visible, template, order);
            expectSame(await search(batch, template, order, next), shown(expected, order));
            const hidden = lookup('s', { template, among: 'hidden' });
            const foundHidden = await findPaged(batch, hidden, () => ({ limit: next(), budget: next() }));
            expectSame(foundHidden, naiveFind(crowd.hidden, template, 'oldest'));
            expect(await countPaged(batch, { space: 's', template, now }, next)).toBe(expected.length);
            checkExplanation(template, order, await batch.explain('s', template, order));
            tally.lookups++;
            if (expected.length > 0) tally.matched++;
            if (expected.length > 3) tally.several++;
            if (
              typeof order !== 'string' &&
              expected[0] !== naiveFind(crowd.visible, template, 'oldest')[0]
            ) {
              tally.turned++;
            }
          }
        });
      });
      await fc.assert(property, { numRuns: 15, interruptAfterTimeLimit: 15_000 });
      // The property says something only if much is found, and if orders tell entries apart.
      expect(tally.matched).toBeGreaterThan(tally.lookups / 2);
      expect(tally.several).toBeGreaterThan(tally.lookups / 6);
      expect(tally.turned).toBeGreaterThan(tally.lookups / 30);
    });

    test('an order by field gives the entries one by one, as they are taken', async () => {
      const property = fc.asyncProperty(anyCrowd, async ({ tuples, fates, lookups, sizes }) => {
        const { store } = await open();
        await inBatch(store, async batch => {
          const crowd = await settle(batch, tuples, fates);
          const { template, order } =
            lookups.find(one => typeof one.order !== 'string') ?? (lookups[0] as Asked);
          const expected = naiveFind(crowd.visible, template, order);
          let page = 0;
          const next = () => sizes[page++ % sizes.length] as number;
          for (const entry of expected.slice(0, 30)) {
            expect((await search(batch, template, order, next))[0]).toEqual(entry);
            await batch.remove('s', entry.id, now);
          }
        });
      });
      await fc.assert(property, { numRuns: 12, interruptAfterTimeLimit: 15_000 });
    });
  });
}

interface Asked {
  readonly template: Template;
  readonly order: Order;
}

/** What becomes of a tuple of the crowd. */
const fate = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constant({ expires: now + 1 }) },
  { weight: 1, arbitrary: fc.constant({ expires: now }) },
  { weight: 1, arbitrary: fc.constant({ visible: now + 1 }) },
  { weight: 1, arbitrary: fc.constant({ visible: now + 1, expires: now }) },
);

const anyCrowd = fc.array(anyTuple, { minLength: 200, maxLength: 400, size: 'max' }).chain(tuples =>
  fc.record({
    tuples: fc.constant(tuples),
    fates: fc.array(fate, { minLength: 50, maxLength: 50 }),
    lookups: fc.array(
      fc.record({ template: templateFor(tuples).map(source => parseTemplate(source)), order: anyOrder }),
      { minLength: 30, maxLength: 30 },
    ),
    sizes: fc.array(fc.constantFrom(2, 3, 7, 50, 300), { minLength: 5, maxLength: 9 }),
  }),
);

async function settle(batch: Batch, tuples: readonly (readonly unknown[])[], fates: readonly object[]) {
  const entries = await batch.insert(
    's',
    tuples.map((tuple, at) => newEntry(tuple as never, fates[at % fates.length])),
  );
  const alive = entries.filter(({ expires }) => expires === undefined || expires > now);
  return {
    visible: alive.filter(({ position }) => position !== null),
    hidden: alive.filter(({ position }) => position === null),
  };
}

const search = (batch: Batch, template: Template, order: Order, next: () => number) =>
  findPaged(batch, lookup('s', { template, order }), () => ({
    limit: typeof order === 'string' ? next() : 1,
    budget: next(),
  }));

/** An order by field promises the first. */
const shown = <T>(entries: readonly T[], order: Order): readonly T[] =>
  typeof order === 'string' ? entries : entries.slice(0, 1);

/** What goes through an index by the contract is not called a scan. */
function checkExplanation({ shapes }: Template, order: Order, explanation: Explanation): void {
  expect(explanation.order).toEqual(order);
  expect(explanation.scan).toBe(explanation.index === null || explanation.scan);
  const narrow = shapes.every(({ patterns }) => {
    const keyed = patterns.slice(0, keyedFields);
    const exact = keyed.findIndex(({ kind }) => kind !== 'literal');
    const leading = exact < 0 ? keyed.length : exact;
    if (typeof order !== 'string') return order.field < keyedFields && order.field <= leading;
    return keyed.some(({ kind }) => kind === 'literal') || ranging.has(keyed[leading]?.kind ?? '');
  });
  if (narrow) expect(explanation).toMatchObject({ scan: false, index: expect.any(String) });
  if (typeof order === 'string' && !narrow) expect(explanation.scan).toBe(true);
}
