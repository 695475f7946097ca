/** The index of waiters against a plain list that tries every template. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Waiter, Waiters } from '../../server/engine/waiters.js';
import { matches, parseTemplate } from '../../shared/template.js';
import type { Tuple } from '../../shared/tuple.js';
import { anyTuple, templateFor } from '../support/arbitraries.js';

type Filed = Waiter & { readonly space: string };

const anyRun = fc.array(anyTuple, { minLength: 8, maxLength: 20, size: 'max' }).chain(tuples =>
  fc.record({
    tuples: fc.constant(tuples),
    deeds: fc.array(
      fc.oneof(
        {
          weight: 5,
          arbitrary: fc.record({
            template: templateFor(tuples).map(source => parseTemplate(source)),
            takes: fc.boolean(),
            // Some are filed long after they arrived.
            turn: fc.nat(1_000_000),
            space: fc.constantFrom('s', 's', 't'),
          }),
        },
        { weight: 2, arbitrary: fc.nat() },
      ),
      { minLength: 20, maxLength: 60, size: 'max' },
    ),
  }),
);

test('a tuple finds every matching reader and the oldest matching taker, after any additions and removals', () => {
  let served = 0;
  const property = fc.property(anyRun, ({ tuples, deeds }) => {
    const waiters = new Waiters<Filed>();
    let list: Filed[] = [];
    const check = () => {
      expect(waiters.size).toBe(list.length);
      expect(new Set(waiters.all())).toEqual(new Set(list));
      for (const space of ['s', 't', 'nowhere']) {
        const here = list.filter(waiter => waiter.space === space);
        expect(waiters.count(space)).toBe(here.length);
        for (const tuple of tuples as Tuple[]) {
          const matching = here
            .filter(({ template }) => matches(template, tuple))
            .sort((a, b) => a.turn - b.turn);
          const found = waiters.waitingFor(space, tuple);
          const turns = (some: readonly Filed[]) => some.map(({ turn }) => turn).join(' ');
          expect(turns(found.readers)).toBe(turns(matching.filter(({ takes }) => !takes)));
          expect(found.taker?.turn).toBe(matching.find(({ takes }) => takes)?.turn);
          served += matching.length;
        }
      }
    };
    for (const [at, deed] of deeds.entries()) {
      if (typeof deed !== 'number') {
        const waiter = { ...deed, turn: deed.turn * 100 + at };
        waiters.add(waiter.space, waiter);
        list.push(waiter);
      } else if (list.length > 0) {
        const waiter = list[deed % list.length] as Filed;
        expect(waiters.remove(waiter)).toBe(true);
        expect(waiters.remove(waiter)).toBe(false);
        list = list.filter(other => other !== waiter);
      }
      if (at % 10 === 0) check();
    }
    check();
    for (const waiter of list.splice(0)) waiters.remove(waiter);
    check();
  });
  fc.assert(property, { numRuns: 60, interruptAfterTimeLimit: 15_000 });
  expect(served).toBeGreaterThan(2_000);
});
