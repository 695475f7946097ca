/** The end of an engine's life, and its bounds. */
import { describe, expect, test } from 'vitest';
import type { Store } from '../../server/store/store.js';
import { EngineWorld } from '../support/engine-world.js';
import { Gate, interpose } from '../support/interposed-store.js';
import { withLimits } from '../support/limits.js';

const any = { $any: true };

describe('drain', () => {
  test('answers what is under way, tells waiters to come back, takes no more', async () => {
    const gate = new Gate();
    let held = false;
    await using world = new EngineWorld((store: Store) =>
      interpose(store, method => (held && method === 'commit' ? gate.passed : undefined)),
    );
    const waiting = world.ask('in', 's', { template: ['never'] });
    const served = world.ask('in', 's', { template: ['a'] });
    await world.turns.idle();
    held = true;
    const running = world.ask('out', 's', { tuple: ['a'] });
    await world.turns.idle();
    const queued = world.ask('out', 's', { tuple: ['b'] });
    let drained = false;
    const draining = world.engine.drain().then(() => {
      drained = true;
    });
    const late = world.ask('out', 's', { tuple: ['c'] });
    await world.turns.idle();
    expect([drained, running.open, queued.open, late.state]).toEqual([false, true, true, 'unavailable']);
    held = false;
    gate.open();
    await world.turns.idle();
    await draining;
    expect([running, queued, served].map(({ state }) => state)).toEqual(['ok', 'ok', 'ok']);
    expect(waiting.answers).toMatchObject([{ error: { code: 'unavailable', outcome: 'none' } }]);
    expect(world.clock.next).toBeUndefined();
  });

  test('of an idle engine ends at once, and again', async () => {
    await using world = new EngineWorld();
    await world.get('out', 's', { tuple: ['a'], ttl: 1_000 });
    await world.engine.drain();
    await world.engine.drain();
    expect(world.clock.next).toBeUndefined();
    await expect(world.get('out', 's', { tuple: ['a'] })).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('lets long searches end', async () => {
    using _ = withLimits({ sliceEntries: 2 });
    await using world = new EngineWorld();
    await world.get('outMany', 's', { tuples: [1, 2, 3, 4, 5, 6, 7].map(n => [n]) });
    const count = world.ask('count', 's', { template: [any] });
    await world.turns.one();
    const drained = world.engine.drain();
    await world.turns.idle();
    await drained;
    expect(count.value).toEqual({ count: 7 });
  });
});

describe('limits', () => {
  test('so many requests may be queued', async () => {
    using _ = withLimits({ queuedRequests: 3 });
    await using world = new EngineWorld();
    const calls = [1, 2, 3, 4].map(n => world.ask('out', 's', { tuple: [n] }));
    await world.turns.idle();
    expect(calls.map(({ state }) => state)).toEqual(['ok', 'ok', 'ok', 'limit']);
    expect(await world.tuples('s')).toEqual([[1], [2], [3]]);
  });

  test('so many requests may wait; what need not wait is done', async () => {
    using _ = withLimits({ waiters: 2 });
    await using world = new EngineWorld();
    const calls = ['a', 'b', 'c'].map(name => world.ask('in', 's', { template: [name] }));
    await world.turns.idle();
    expect(calls.map(({ state }) => state)).toEqual(['open', 'open', 'limit']);
    await world.out('s', ['c'], ['a']);
    expect(await world.get('in', 's', { template: ['c'] })).toMatchObject({ tuple: ['c'] });
    const next = world.ask('in', 's', { template: ['d'] });
    await world.turns.idle();
    expect(next.open).toBe(true);
  });

  test('a batch has so many requests', async () => {
    using _ = withLimits({ batchRequests: 3 });
    await using world = new EngineWorld();
    await world.turns.idle();
    world.batches.length = 0;
    const calls = [1, 2, 3, 4, 5, 6, 7].map(n => world.ask('out', 's', { tuple: [n] }));
    calls[1]?.abandon();
    await world.turns.idle();
    expect(world.batches).toEqual([3, 3]);
    expect(await world.tuples('s')).toEqual([[1], [3], [4], [5], [6], [7]]);
  });

  test('a space too many is refused, and nothing was done', async () => {
    using _ = withLimits({ spaces: 1 });
    await using world = new EngineWorld();
    const waiters = [world.ask('in', 't', { template: ['a'] }), world.ask('rd', 't', { template: ['b'] })];
    await world.out('s', ['a']);
    await expect(world.get('out', 't', { tuple: ['b'] })).rejects.toMatchObject({ code: 'limit' });
    await expect(world.get('outMany', 't', { tuples: [['a'], ['b']] })).rejects.toMatchObject({
      code: 'limit',
    });
    await expect(world.get('out', 't', { tuple: ['b'], delay: 5 })).rejects.toMatchObject({ code: 'limit' });
    expect(waiters.map(({ open }) => open)).toEqual([true, true]);
    expect(await world.get('spaces', '')).toEqual({ spaces: [{ space: 's', tuples: 1 }] });
    expect(world.faults).toEqual([]);
  });

  test('takeMany ends with the tuple that fills its answer', async () => {
    using _ = withLimits({ answerBytes: '["a"]'.length * 2 });
    await using world = new EngineWorld();
    await world.out('s', ['a'], ['b'], ['c']);
    expect((await world.get('takeMany', 's', { template: [any] })).entries).toHaveLength(2);
    expect(await world.tuples('s')).toEqual([['c']]);
  });
});
