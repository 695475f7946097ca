/**
 * What an index serves costs what it returns. Cost is what a search examines, and the plans that SQLite makes of its statements: no
 * clock is asked.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { openSqlite, type SqliteStore } from '../../server/store/sqlite.js';
import type { Rows } from '../../server/store/sqlite-rows.js';
import { countMatches, findMatches } from '../../server/store/sqlite-search.js';
import type { Batch, Found } from '../../server/store/store.js';
import { isObject, type Json } from '../../shared/json.js';
import type { Order } from '../../shared/operations.js';
import { matches, parseTemplate } from '../../shared/template.js';
import type { Tuple } from '../../shared/tuple.js';
import { inBatch, lookup, newEntry, now } from '../support/lookups.js';

const crowdSize = 5_000;
/** So many entries may be looked at beyond what is returned: a range is first tried in the order of positions. */
const slack = 64;

const any = { $any: true };
const rest = { $rest: true };

/** kind (5), number (all different), name (20), owner (2 have one), and a field that has no index. */
const crowd: Json[][] = Array.from({ length: crowdSize }, (_, at) => [
  `kind-${at % 5}`,
  (at * 7919) % crowdSize,
  `name-${String(at % 20).padStart(2, '0')}`,
  `owner-${at % 2_500}`,
  at % 10,
]);

let store: SqliteStore;

beforeAll(async () => {
  store = openSqlite(':memory:');
  await inBatch(store, batch => {
    batch.insert(
      's',
      crowd.map(tuple => newEntry(tuple)),
    );
    // The same, so that the end of a range is crowded: most strings are just `name-50`.
    const names = crowd.map((_, at) => [at < 20 ? `name-${at + 40}` : 'name-50', at]);
    batch.insert(
      'names',
      names.map(tuple => newEntry(tuple)),
    );
  });
  return () => store.close();
});

const kind = 'kind-3';
const byNumber: Order = { field: 1, dir: 'asc' };
const byNumberDown: Order = { field: 1, dir: 'desc' };

const indexed: readonly [title: string, template: Json][] = [
  ['exact first field', [kind, rest]],
  ['exact second field', [any, 77, rest]],
  ['exact third field', [any, any, 'name-07', rest]],
  ['exact fourth field', [any, any, any, 'owner-11', any]],
  ['two exact fields behind others: the rarer one', [any, any, 'name-11', 'owner-11', any]],
  ['an exact first field that is common, and a rarer one behind', [kind, any, 'name-08', rest]],
  ['two exact first fields', [kind, 77, rest]],
  ['all four', ['kind-0', 0, 'name-00', 'owner-0', any]],
  ['a broad range after an exact field, and a rarer value behind', [kind, { $gte: 0 }, 'name-08', rest]],
  ['a broad range, and a rarer value behind', [{ $gte: 'kind' }, any, 'name-08', rest]],
  ['a range of numbers after an exact field', [kind, { $gt: 100, $lte: 300 }, rest]],
  ['a range without end', [kind, { $gte: 4_900 }, rest]],
  ['a prefix', [{ $prefix: 'kind-3' }, rest]],
  ['a range of strings', [{ $gt: 'kind-2', $lt: 'kind-4' }, rest]],
  [
    'two exact templates',
    {
      $anyOf: [
        [any, 77, rest],
        [any, any, any, 'owner-11', any],
      ],
    },
  ],
  [
    'two ranges',
    {
      $anyOf: [
        [kind, { $lt: 20 }, rest],
        ['kind-1', { $gt: 4_980 }, rest],
      ],
    },
  ],
];

const matching = (template: Json): number =>
  crowd.filter(tuple => matches(parseTemplate(template), tuple as Tuple)).length;

const found = (template: Json, order: Order, limit = crowdSize): Promise<Found> =>
  inBatch(store, async batch => batch.find(lookup('s', { template: parseTemplate(template), order, limit })));

describe('a search through an index examines what it returns', () => {
  test.each(indexed)('%s', async (_, template) => {
    const matched = matching(template);
    expect(matched).toBeGreaterThan(0);
    expect(matched).toBeLessThan(crowdSize / 4);
    const alternatives = Array.isArray(template) ? 1 : 2;
    for (const order of ['oldest', 'newest'] as const) {
      const { entries, examined } = await found(template, order);
      expect(entries).toHaveLength(matched);
      expect(examined).toBeLessThanOrEqual(matched + slack * alternatives);
    }
    const first = await found(template, 'oldest', 1);
    expect(first.examined).toBeLessThanOrEqual(1 + slack * alternatives);
    const { count, examined } = await inBatch(store, async batch =>
      batch.count({ space: 's', template: parseTemplate(template), budget: crowdSize, now }),
    );
    expect(count).toBe(matched);
    expect(examined).toBeLessThanOrEqual(matched + slack * alternatives);
  });

  test.each<[string, Json, Order]>([
    ['after an exact field', [kind, any, rest], byNumber],
    ['after an exact field, down', [kind, any, rest], byNumberDown],
    ['along a range', [kind, { $gt: 2_500 }, rest], byNumber],
    ['along a range, down', [kind, { $lt: 2_500 }, rest], byNumberDown],
    ['of the first field', [any, rest], { field: 0, dir: 'desc' }],
    ['of the fourth field after three', [kind, any, any, rest], { field: 1, dir: 'desc' }],
    [
      'of alternatives',
      {
        $anyOf: [
          [kind, any, rest],
          ['kind-1', { $gt: 7 }, rest],
        ],
      },
      byNumber,
    ],
    [
      'of alternatives, down',
      {
        $anyOf: [
          [kind, { $lt: 99 }, rest],
          ['kind-1', any, rest],
        ],
      },
      byNumberDown,
    ],
  ])('the first in the order %s', async (_, template, order) => {
    const { entries, examined } = await found(template, order, 1);
    expect(entries).toHaveLength(1);
    expect(examined).toBe(1);
  });

  test('in an order, what one alternative has passed costs another nothing', async () => {
    const template: Json = {
      $anyOf: [
        [{ $lt: 'kind-1' }, rest],
        [{ $gte: 'kind-4' }, rest],
      ],
    };
    for (const dir of ['asc', 'desc'] as const) {
      const order = { field: 0, dir };
      const parsed = parseTemplate(template);
      const examined = await inBatch(store, async batch => pagedCost(batch, parsed, order));
      expect(examined).toBeLessThanOrEqual(matching(template) + slack);
    }
  });

  test.each<[string, Json, number]>([
    ['$lt', { $lt: 'name-50' }, 10],
    ['$gt', { $gt: 'name-50' }, 9],
    ['$gte and $lt', { $gte: 'name-45', $lt: 'name-50' }, 5],
    ['a short end that many begin with', { $lt: 'name-5' }, 10],
  ])('a bound that is not in the range costs nothing: %s', async (_, pattern, matched) => {
    const template = parseTemplate([pattern, rest]);
    const { entries, examined } = await inBatch(store, async batch =>
      batch.find(lookup('names', { template })),
    );
    expect(entries).toHaveLength(matched);
    expect(examined).toBeLessThanOrEqual(matched + slack);
    const order: Order = { field: 0, dir: 'desc' };
    const first = await inBatch(store, async batch =>
      batch.find(lookup('names', { template, order, limit: 1 })),
    );
    expect(first.examined).toBe(1);
  });

  test('anything else examines the whole space, within the budget', async () => {
    const template = [any, any, any, any, 3];
    expect((await found(template, 'oldest')).examined).toBe(crowdSize);
    expect(
      await inBatch(store, async batch => batch.explain('s', parseTemplate(template), 'oldest')),
    ).toMatchObject({
      index: null,
      scan: true,
    });
  });
});

async function pagedCost(
  batch: Batch,
  template: ReturnType<typeof parseTemplate>,
  order: Order,
): Promise<number> {
  let cost = 0;
  let after: Found['cursor'] | undefined;
  do {
    const page = await batch.find(lookup('s', { template, order, limit: 100, after: after ?? undefined }));
    cost += page.examined;
    after = page.cursor;
  } while (after);
  return cost;
}

describe('the plans of SQLite', () => {
  /** What SQLite means to do for each statement of a search. */
  const plansOf = (search: (rows: Rows) => unknown): string[] => {
    const plans: string[] = [];
    const explain = (sql: string, values: readonly unknown[]) => {
      const lines = store.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...values);
      plans.push(...lines.map(({ detail }) => detail));
    };
    const asking =
      <T>(ask: (sql: string, ...values: unknown[]) => T) =>
      (sql: string, ...values: unknown[]): T => {
        explain(sql, values);
        return ask.call(store, sql, ...values);
      };
    search({
      all: asking(store.all) as Rows['all'],
      get: asking(store.get) as Rows['get'],
      spaceId: name => store.spaceId(name),
      need: index => store.need(index),
    });
    return plans;
  };
  const sorts = (plans: readonly string[]) => plans.filter(plan => plan.includes('TEMP B-TREE'));
  const scans = (plans: readonly string[]) => plans.filter(plan => /^SCAN (?!\(subquery)/.test(plan));

  test.each(indexed)('%s: no table is scanned', (_, source) => {
    const template = parseTemplate(source);
    for (const order of ['oldest', 'newest', byNumber, byNumberDown] as const) {
      const plans = plansOf(rows => findMatches(rows, lookup('s', { template, order, limit: 1 })));
      expect(plans.some(plan => /^SEARCH entries USING (COVERING )?INDEX by_/.test(plan))).toBe(true);
      expect(scans(plans)).toEqual([]);
      // A range is sorted by position: its own order is that of its keys.
      const ranged = shapes(source).some(shape => shape.some(isRange));
      if (!ranged || typeof order !== 'string') expect(sorts(plans)).toEqual([]);
    }
    expect(scans(plansOf(rows => countMatches(rows, { space: 's', template, budget: 9, now })))).toEqual([]);
  });

  test('a scan goes along the positions', () => {
    const plans = plansOf(rows => findMatches(rows, lookup('s', { template: parseTemplate([any, rest]) })));
    expect(new Set(plans)).toEqual(
      new Set(['SEARCH entries USING INDEX by_leading_0 (space=? AND position>?)']),
    );
  });

  test('hidden entries are found by their first fields', () => {
    const template = parseTemplate([kind, 7, rest]);
    const plans = plansOf(rows => findMatches(rows, lookup('s', { template, among: 'hidden' })));
    expect(plans).toEqual(['SEARCH entries USING INDEX hidden (space=? AND k1=? AND k2=? AND rowid>?)']);
  });
});

const shapes = (template: Json): Json[][] =>
  (Array.isArray(template) ? [template] : (template as { $anyOf: Json[] }).$anyOf) as Json[][];

const isRange = (pattern: Json): boolean =>
  isObject(pattern) && Object.keys(pattern).some(key => !['$any', '$rest'].includes(key));
