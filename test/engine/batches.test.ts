/** Batches: what arrives together is done and answered together, after one commit; and what becomes of it when the storage fails. */
import { describe, expect, test } from 'vitest';
import type { Store } from '../../server/store/store.js';
import { EngineWorld } from '../support/engine-world.js';
import { type Before, Gate, interpose } from '../support/interposed-store.js';

const any = { $any: true };
const diskFull = new Error('disk full');

/** A world whose store asks `before` first. */
const worldWith = (before: Before) => new EngineWorld((store: Store) => interpose(store, before));

describe('a batch', () => {
  test('begins in the turn in which its first request came, and has all that came by then', async () => {
    await using world = new EngineWorld();
    await world.turns.idle();
    world.batches.length = 0;
    for (let n = 0; n < 10; n++) world.ask('out', 's', { tuple: [n] });
    await world.turns.one();
    expect(world.batches).toEqual([10]);
    expect(world.turns.left).toBe(0);
  });

  test('a request that fails, fails alone', async () => {
    await using world = new EngineWorld();
    const calls = [
      world.ask('out', 's', { tuple: ['a'] }),
      world.ask('cancel', 's', { id: 99 }),
      world.ask('renew', 's', { id: 'x', ttl: 5 }),
      world.ask('take', 's', { template: ['a'] }),
    ];
    await world.turns.idle();
    expect(calls.map(({ state }) => state)).toEqual(['ok', 'not_found', 'not_found', 'ok']);
    expect(world.faults).toEqual([]);
  });

  test('is answered after its commit, and not before', async () => {
    const gate = new Gate();
    let held = false;
    await using world = worldWith(method => (held && method === 'commit' ? gate.passed : undefined));
    const waiter = world.ask('in', 's', { template: ['a'] });
    await world.turns.idle();
    held = true;
    const calls = [
      world.ask('out', 's', { tuple: ['a'] }),
      world.ask('out', 's', { tuple: ['b'] }),
      world.ask('read', 's', { template: ['b'] }),
      world.ask('cancel', 's', { id: 99 }),
    ];
    await world.turns.idle();
    const later = world.ask('take', 's', { template: ['b'] });
    await world.turns.idle();
    expect([waiter, ...calls, later].every(({ open }) => open)).toBe(true);
    held = false;
    gate.open();
    await world.turns.idle();
    expect([waiter, ...calls, later].map(({ state }) => state)).toEqual([
      'ok',
      'ok',
      'ok',
      'ok',
      'not_found',
      'ok',
    ]);
  });
});

describe('when the storage fails', () => {
  test.each(['commit', 'begin', 'renew'] as const)('in %s, nobody is answered as done', async method => {
    let broken = false;
    await using world = worldWith(name => {
      if (broken && name === method) throw diskFull;
    });
    const waiting = world.ask('in', 's', { template: ['never'] });
    const served = world.ask('in', 's', { template: ['a'] });
    const timed = world.ask('read', 's', { template: ['never'], timeout: 50 });
    await world.turns.idle();
    broken = true;
    const out = world.ask('out', 's', { tuple: ['a'] });
    const filed = world.ask('in', 's', { template: ['never'] });
    const renew = world.ask('renew', 's', { id: 1, ttl: 5 });
    const behind = world.ask('take', 's', { template: ['b'] });
    await world.turns.idle();

    const all = [waiting, served, timed, out, filed, renew, behind];
    expect(all.map(({ state }) => state)).toEqual(all.map(() => 'unavailable'));
    const outcome = (call: (typeof all)[number]) => {
      const [answer] = call.answers;
      return answer && 'error' in answer ? answer.error.outcome : undefined;
    };
    // What is known to have had no effect says so.
    expect([waiting, timed, filed].map(outcome)).toEqual(['none', 'none', 'none']);
    const begun = method === 'begin' ? 'none' : 'unknown';
    expect([served, out, renew].map(outcome)).toEqual([begun, begun, begun]);
    expect(outcome(behind)).toBe(method === 'commit' ? 'unknown' : 'none');
    expect(all.every(({ answers }) => answers.length === 1)).toBe(true);
    expect(world.faults).toEqual([diskFull]);
  });

  test('the engine takes no more requests and touches the store no more', async () => {
    let broken = false;
    const touched: string[] = [];
    await using world = worldWith(name => {
      touched.push(name);
      if (broken && name === 'commit') throw diskFull;
    });
    await world.get('out', 's', { tuple: ['a'], ttl: 1_000 });
    broken = true;
    const failed = world.ask('out', 's', { tuple: ['b'] });
    const waiting = world.ask('in', 's', { template: [any], order: 'newest', timeout: 10 });
    await world.turns.idle();
    expect(failed.state).toBe('unavailable');
    touched.length = 0;
    broken = false;
    const refused = world.ask('out', 's', { tuple: ['c'] });
    await world.advance(100_000);
    expect(refused.answers).toMatchObject([{ error: { code: 'unavailable', outcome: 'none' } }]);
    expect(waiting.answers).toHaveLength(1);
    await world.engine.drain();
    expect(touched).toEqual([]);
    expect(world.faults).toEqual([diskFull]);
  });

  test('a drain that was waiting for the batch ends', async () => {
    const gate = new Gate();
    let held = false;
    await using world = worldWith(name => (held && name === 'commit' ? gate.passed : undefined));
    await world.turns.idle();
    held = true;
    const call = world.ask('out', 's', { tuple: ['a'] });
    await world.turns.idle();
    const drained = world.engine.drain();
    gate.bar(diskFull);
    await drained;
    expect(call.state).toBe('unavailable');
    expect(world.faults).toEqual([diskFull]);
  });
});
