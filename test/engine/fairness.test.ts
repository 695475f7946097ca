/** Who is served by a new entry: every matching reader, then the taker that has waited longest; and nobody else is touched. */
import { expect, test } from 'vitest';
import { EngineWorld } from '../support/engine-world.js';
import { withLimits } from '../support/limits.js';

const any = { $any: true };
const job = ['job', any];

test('a new entry serves every matching reader, then the oldest taker', async () => {
  await using world = new EngineWorld();
  const others = [
    world.ask('rd', 's', { template: ['other', any] }),
    world.ask('in', 's', { template: ['job', 2] }),
    world.ask('in', 't', { template: job }),
  ];
  const takers = ['in', 'take', 'in'].map(op => world.ask(op as 'in', 's', { template: job, timeout: 9 }));
  const readers = ['rd', 'read', 'rd'].map(op => world.ask(op as 'rd', 's', { template: job, timeout: 9 }));
  await world.turns.idle();

  await world.out('s', ['job', 1]);
  expect(readers.map(({ value }) => value?.tuple)).toEqual([
    ['job', 1],
    ['job', 1],
    ['job', 1],
  ]);
  expect(takers.map(({ state }) => state)).toEqual(['ok', 'open', 'open']);
  await world.out('s', ['job', 3], ['job', 4]);
  expect(takers.map(({ value }) => value?.tuple)).toEqual([
    ['job', 1],
    ['job', 3],
    ['job', 4],
  ]);
  expect(others.every(({ open }) => open)).toBe(true);
  expect(await world.tuples('s')).toEqual([]);
});

test('an entry that meets readers only stays', async () => {
  await using world = new EngineWorld();
  const reader = world.ask('rd', 's', { template: job });
  await world.turns.idle();
  await world.out('s', ['job', 1]);
  expect(reader.value).toMatchObject({ tuple: ['job', 1] });
  expect(await world.tuples('s')).toEqual([['job', 1]]);
});

test('takers with different templates are served by age, whatever the template', async () => {
  await using world = new EngineWorld();
  const templates = [['job', { $gt: 0 }], [any, 1], ['job', 1], { $anyOf: [['x'], job] }, [any, any]];
  const takers = templates.map(template => world.ask('in', 's', { template }));
  await world.turns.idle();
  for (let served = 1; served <= takers.length; served++) {
    await world.out('s', ['job', 1]);
    expect(takers.map(({ open }) => open)).toEqual(takers.map((_, at) => at >= served));
  }
});

test('within a batch too, requests are served in the order of their arrival', async () => {
  await using world = new EngineWorld();
  const first = world.ask('in', 's', { template: job });
  const out = world.ask('out', 's', { tuple: ['job', 1] });
  const second = world.ask('take', 's', { template: job });
  const again = world.ask('out', 's', { tuple: ['job', 2] });
  const third = world.ask('take', 's', { template: job });
  await world.turns.idle();
  expect(world.batches.filter(size => size > 0)).toEqual([5]);
  expect(first.value?.tuple).toEqual(['job', 1]);
  expect(out.value).toHaveProperty('position', first.value?.position);
  expect(second.value).toBeNull();
  expect(third.value).toMatchObject({ id: 'id' in again.value && again.value.id });
});

test('a waiter that gave up or timed out leaves its place to the next', async () => {
  await using world = new EngineWorld();
  const [gone, late, next] = [
    world.ask('in', 's', { template: job }),
    world.ask('in', 's', { template: job, timeout: 5 }),
    world.ask('in', 's', { template: job }),
  ];
  await world.turns.idle();
  gone.abandon();
  await world.advance(5);
  await world.out('s', ['job', 1]);
  expect([gone.state, late.value, next.value?.tuple]).toEqual(['aborted', null, ['job', 1]]);
});

test('who looked for long before it waited keeps the age of its request', async () => {
  using _ = withLimits({ sliceEntries: 10 });
  await using world = new EngineWorld();
  await world.get('outMany', 's', { tuples: Array.from({ length: 25 }, (_, at) => ['job', at, 'x']) });
  // Both match nothing yet. The first goes through all of them, the second through an index that has none.
  const template = ['job', { $gt: 100 }, any];
  const older = world.ask('in', 's', { template, order: { field: 5 } });
  const younger = world.ask('in', 's', { template, order: { field: 1 } });
  await world.turns.idle();
  await world.out('s', ['job', 101, 'y']);
  expect([older.open, younger.open]).toEqual([false, true]);
});
