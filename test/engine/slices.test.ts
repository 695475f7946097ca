/** A long search goes on slice by slice, so that others are served between, and misses nothing that comes meanwhile. */
import { describe, expect, test } from 'vitest';
import type { Order } from '../../shared/operations.js';
import { type Call, EngineWorld } from '../support/engine-world.js';
import { withLimits } from '../support/limits.js';

const any = { $any: true };
/** Matches a number over the bound, through no index. */
const over = (bound: number) => ['n', { $not: { $lte: bound } }];

async function crowded(size: number): Promise<EngineWorld> {
  const world = new EngineWorld();
  await world.get('outMany', 's', { tuples: Array.from({ length: size }, (_, at) => ['n', at]) });
  return world;
}

/** Turns until a call is answered. */
async function turnsOf(world: EngineWorld, call: Call<unknown>): Promise<number> {
  let turns = 0;
  while (call.open) {
    await world.turns.one();
    if (++turns > 1_000) throw new Error('never answered');
  }
  return turns;
}

describe('a search longer than a slice', () => {
  test.each(['take', 'count', 'scan', 'out'] as const)(
    'gives way: others are answered before %s',
    async op => {
      using _ = withLimits({ sliceEntries: 10 });
      await using world = await crowded(100);
      const values = op === 'out' ? { tuple: ['late'], unless: over(98) } : { template: over(98) };
      const long = world.ask(op, 's', values);
      await world.turns.one();
      expect(long.open).toBe(true);
      const short = world.ask('read', 's', { template: ['n', 0] });
      expect(await turnsOf(world, short)).toBe(1);
      expect(await turnsOf(world, long)).toBeGreaterThan(5);
      const expected = {
        take: { tuple: ['n', 99] },
        count: { count: 1 },
        scan: { entries: [{ tuple: ['n', 99] }] },
      };
      expect(long.value).toMatchObject(op === 'out' ? { created: false, existing: 100 } : expected[op]);
    },
  );

  test('a batch that has examined its share leaves the rest of its requests to the next', async () => {
    using _ = withLimits({ sliceEntries: 10, batchEntries: 20 });
    await using world = await crowded(15);
    const calls = [1, 2, 3, 4].map(() => world.ask('count', 's', { template: over(0) }));
    const out = world.ask('out', 's', { tuple: ['a'] });
    await world.turns.one();
    expect(world.batches.at(-1)).toBe(2);
    expect(out.open).toBe(true);
    await world.turns.idle();
    expect([...calls, out].map(({ state }) => state)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
  });

  test.each<Order>([
    'oldest',
    'newest',
    { field: 1, dir: 'asc' },
    { field: 1, dir: 'desc' },
    { field: 0, dir: 'asc' },
    { field: 5, dir: 'asc' },
  ])('in the order %j, finds what comes while it looks', async order => {
    using _ = withLimits({ sliceEntries: 10 });
    for (let turns = 1; turns < 9; turns++) {
      await using world = await crowded(60);
      const call = world.ask('in', 's', { template: ['n', { $type: 'string' }], order: 'oldest' });
      const ordered = world.ask('in', 's', { template: [any, { $not: { $type: 'number' } }], order });
      for (let turn = 0; turn < turns; turn++) await world.turns.one();
      // In front of all numbers, behind them, and neither.
      await world.out('s', ['n', null], ['m', 'text'], ['n', 'text']);
      expect([call.state, ordered.state]).toEqual(['ok', 'ok']);
    }
  });

  test.each<[Order, unknown]>([
    ['newest', 8],
    [{ field: 1, dir: 'asc' }, -1],
    [{ field: 1, dir: 'desc' }, 8],
    [{ field: 2, dir: 'asc' }, 7],
    [{ field: 5, dir: 'asc' }, 7],
  ])('in the order %j, prefers what came while it looked to what it finds later', async (order, chosen) => {
    using _ = withLimits({ sliceEntries: 10 });
    await using world = new EngineWorld();
    // Whatever the direction, 25 others stand before the one that matches.
    const [below, above] = [0, 9].map(number => Array.from({ length: 25 }, () => ['n', number, 'x']));
    await world.get('outMany', 's', { tuples: [...(below ?? []), ['n', 7, 'yes'], ...(above ?? [])] });
    const call = world.ask('take', 's', { template: ['n', any, { $not: 'x' }], order });
    await world.turns.one();
    expect(call.open).toBe(true);
    await world.out('s', ['n', -1, 'yes'], ['n', 8, 'yes']);
    expect(call.value?.tuple[1]).toBe(chosen);
  });

  test('takes from the entries that are there, not from those that were', async () => {
    using _ = withLimits({ sliceEntries: 10 });
    await using world = await crowded(40);
    const long = world.ask('take', 's', { template: over(5), order: { field: 9, dir: 'asc' } });
    await world.turns.one();
    // The best so far goes, and another is renewed.
    const gone = world.ask('take', 's', { template: ['n', 6] });
    world.ask('renew', 's', { id: 8, ttl: 500 });
    await world.turns.idle();
    expect(gone.value).not.toBeNull();
    expect(long.value).toMatchObject({ tuple: ['n', 7], expires: world.clock.wall() + 500 });
  });

  test('`unless` misses nothing that is put or shown while it looks', async () => {
    using _ = withLimits({ sliceEntries: 10 });
    await using world = await crowded(50);
    await world.get('out', 's', { tuple: ['n', 'hidden'], delay: 5 });
    const calls = [0, 1].map(() => world.ask('out', 's', { tuple: ['n', 'x'], unless: over(99) }));
    await world.turns.one();
    await world.advance(5);
    await world.get('cancel', 's', { id: 51 });
    expect(calls.map(({ value }) => value)).toEqual([0, 1].map(() => ({ created: false, existing: 51 })));
    const again = [0, 1].map(() => world.ask('out', 's', { tuple: ['n', 'x'], unless: over(99) }));
    await world.turns.idle();
    expect(again.map(({ value }) => 'created' in value)).toEqual([false, true]);
  });

  test('its timeout counts from its arrival, not from when it began to wait', async () => {
    using _ = withLimits({ sliceEntries: 10 });
    await using world = await crowded(40);
    const call = world.ask('take', 's', { template: over(99), timeout: 10 });
    await world.turns.one();
    world.clock.advance(10);
    await world.advance(0);
    expect(call.value).toBeNull();
  });

  test('a scan ends with the entry that fills its answer, also over several slices', async () => {
    using _ = withLimits({ sliceEntries: 3, answerBytes: '["n",10]'.length * 5 });
    await using world = new EngineWorld();
    await world.get('outMany', 's', { tuples: Array.from({ length: 20 }, (_, at) => ['n', at + 10]) });
    const { entries, next } = await world.get('scan', 's', { template: over(0) });
    expect(entries).toHaveLength(5);
    expect(next).toBe(entries.at(-1)?.position);
  });
});
