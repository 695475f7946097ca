/** Entries that come and go by time: delay and ttl, to the millisecond, with the wall clock as it pleases. */
import { describe, expect, test } from 'vitest';
import { openSqlite } from '../../server/store/sqlite.js';
import { EngineWorld } from '../support/engine-world.js';
import { withLimits } from '../support/limits.js';
import { newEntry } from '../support/lookups.js';

const any = { $any: true };
const minute = 60_000;

const out = (world: EngineWorld, tuple: unknown[], times: { ttl?: number; delay?: number }) =>
  world.get('out', 's', { tuple, ...times });

describe('ttl', () => {
  test('ends an entry at its time, not before', async () => {
    await using world = new EngineWorld();
    await out(world, ['a'], { ttl: 1_000 });
    await world.advance(999);
    expect(await world.get('read', 's', { template: ['a'] })).toMatchObject({
      expires: world.clock.wall() + 1,
    });
    await world.advance(1);
    expect(await world.get('read', 's', { template: ['a'] })).toBeNull();
    expect((await world.get('space', 's')).tuples).toBe(0);
  });

  test('counts from the moment in which the entry is seen', async () => {
    await using world = new EngineWorld();
    await out(world, ['a'], { ttl: 10, delay: 100 });
    await world.advance(109);
    expect(await world.tuples('s')).toEqual([['a']]);
    await world.advance(1);
    expect(await world.tuples('s')).toEqual([]);
  });

  test('goes with the entry to whoever waits for it', async () => {
    await using world = new EngineWorld();
    const call = world.ask('in', 's', { template: ['a'] });
    await world.turns.idle();
    await out(world, ['a'], { ttl: 10 });
    expect(call.value).toMatchObject({ tuple: ['a'], expires: world.clock.wall() + 10 });
  });
});

describe('delay', () => {
  test('hides an entry until its time, then gives it a position and shows it', async () => {
    await using world = new EngineWorld();
    const delayed = await out(world, ['a'], { delay: 1_000 });
    expect(delayed).toEqual({ id: expect.any(Number), position: null });
    await out(world, ['b'], {});
    await world.advance(999);
    expect(await world.tuples('s')).toEqual([['b']]);
    await world.advance(1);
    const { entries } = await world.get('scan', 's', { template: [any] });
    expect(entries.map(({ tuple }) => tuple)).toEqual([['b'], ['a']]);
    expect(entries[1]).toMatchObject({
      id: 'id' in delayed && delayed.id,
      created: world.clock.wall() - 1_000,
    });
  });

  test('orders by time, not by request', async () => {
    await using world = new EngineWorld();
    for (const delay of [30, 10, 20, 10]) await out(world, [delay], { delay });
    await world.advance(30);
    expect(await world.tuples('s')).toEqual([[10], [10], [20], [30]]);
    const { entries } = await world.get('scan', 's', { template: [any] });
    expect(entries.map(({ id }) => id)).toEqual([2, 4, 3, 1]);
  });

  test('wakes whoever waits, when it ends', async () => {
    await using world = new EngineWorld();
    const [reader, first, second] = [
      world.ask('rd', 's', { template: [any] }),
      world.ask('in', 's', { template: [any] }),
      world.ask('takeMany', 's', { template: [any], timeout: 1_000 }),
    ];
    await world.get('outMany', 's', { tuples: [[1], [2], [3]], delay: 100 });
    await world.advance(99);
    expect([reader, first, second].map(({ open }) => open)).toEqual([true, true, true]);
    await world.advance(1);
    expect([reader.value?.tuple, first.value?.tuple]).toEqual([[1], [1]]);
    expect(second.value.entries.map(({ tuple }) => tuple)).toEqual([[2], [3]]);
    expect(await world.tuples('s')).toEqual([]);
  });

  test('many fall due at once, more than a batch has', async () => {
    using _ = withLimits({ batchRequests: 4 });
    await using world = new EngineWorld();
    await world.get('outMany', 's', { tuples: Array.from({ length: 11 }, (_, n) => [n]), delay: 5, ttl: 5 });
    await world.advance(5);
    expect((await world.tuples('s')).flat()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await world.advance(5);
    expect((await world.get('space', 's')).tuples).toBe(0);
  });
});

describe('while no server ran', () => {
  test('what fell due is shown and ended at once; what ended before it was seen meets nobody', async () => {
    const store = openSqlite(':memory:');
    const wall = 1_700_000_000_000;
    store.begin();
    store.insert('s', [
      newEntry(['ripe'], { visible: wall - 10 }),
      newEntry(['gone'], { visible: wall - 20, expires: wall - 5 }),
      newEntry(['swept'], { expires: wall }),
    ]);
    store.commit();
    await using world = new EngineWorld(undefined, store);
    const takers = [1, 2].map(() => world.ask('in', 's', { template: [any] }));
    await world.turns.idle();
    expect(takers.map(({ state }) => state)).toEqual(['ok', 'open']);
    expect(takers[0]?.value).toMatchObject({ tuple: ['ripe'] });
    expect(world.faults).toEqual([]);
    expect((await world.get('space', 's')).tuples).toBe(0);
  });

  test('an entry that is late and has ended by then does not stop the engine', async () => {
    await using world = new EngineWorld();
    const taker = world.ask('in', 's', { template: [any] });
    await world.turns.idle();
    await out(world, ['a'], { delay: 5, ttl: 5 });
    // The process sleeps through both.
    world.clock.advance(20);
    await world.turns.idle();
    expect(world.faults).toEqual([]);
    expect(taker.open).toBe(true);
    expect(await world.tuples('s')).toEqual([]);
  });
});

describe('a wall clock that jumps', () => {
  test('forward: what is due by it comes within a minute, and with the next request at once', async () => {
    await using world = new EngineWorld();
    await out(world, ['later'], { delay: 10 * minute });
    await out(world, ['short'], { ttl: 10 * minute });
    world.clock.jump(10 * minute);
    expect(await world.tuples('s')).toEqual([['later']]);
    await out(world, ['again'], { delay: 10 * minute });
    const taker = world.ask('in', 's', { template: ['again'] });
    await world.turns.idle();
    world.clock.jump(10 * minute);
    await world.advance(minute);
    expect(taker.value).toMatchObject({ tuple: ['again'] });
  });

  test('back: what is due waits for its time by the clock', async () => {
    await using world = new EngineWorld();
    await out(world, ['later'], { delay: minute });
    world.clock.jump(-minute);
    await world.advance(2 * minute - 1);
    expect(await world.tuples('s')).toEqual([]);
    await world.advance(1);
    expect(await world.tuples('s')).toEqual([['later']]);
  });

  test('either way, waits keep their length', async () => {
    await using world = new EngineWorld();
    const call = world.ask('in', 's', { template: ['never'], timeout: minute });
    await world.turns.idle();
    world.clock.jump(-10 * minute);
    await world.advance(minute - 1);
    world.clock.jump(20 * minute);
    await world.turns.idle();
    expect(call.open).toBe(true);
    await world.advance(1);
    expect(call.value).toBeNull();
  });
});

test('an idle engine sleeps: no timer is set while nothing is due', async () => {
  await using world = new EngineWorld();
  await world.out('s', ['a']);
  const call = world.ask('in', 's', { template: ['b'] });
  await world.turns.idle();
  expect(world.clock.next).toBeUndefined();
  const before = world.batches.length;
  await world.advance(100 * minute);
  expect(world.batches.length).toBe(before);
  expect(call.open).toBe(true);
});
