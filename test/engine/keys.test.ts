/** Requests with a key are done once: a retry joins the one under way, or gets the answer that was recorded, for ten minutes. */
import { describe, expect, test } from 'vitest';
import type { Store } from '../../server/store/store.js';
import { limits } from '../../shared/limits.js';
import { EngineWorld } from '../support/engine-world.js';
import { Gate, interpose } from '../support/interposed-store.js';

const any = { $any: true };
const key = { id: 'token key', fingerprint: 'one' };
const other = { id: 'token key', fingerprint: 'other' };

describe('a request with a key', () => {
  test('sent again while it waits, has one effect and answers both', async () => {
    await using world = new EngineWorld();
    const calls = [0, 1].map(() => world.ask('in', 's', { template: [any] }, key));
    await world.turns.idle();
    calls.push(world.ask('in', 's', { template: [any] }, key));
    await world.out('s', ['a'], ['b']);
    expect(calls.map(({ value }) => value?.tuple)).toEqual([['a'], ['a'], ['a']]);
    expect(await world.tuples('s')).toEqual([['b']]);
  });

  test('sent again later, gets the recorded answer, for ten minutes', async () => {
    await using world = new EngineWorld();
    const put = () => world.get('out', 's', { tuple: ['a'] }, key);
    const first = await put();
    await world.advance(limits.idempotencyMs - 1);
    expect(await put()).toEqual(first);
    await world.advance(1);
    expect(await put()).not.toEqual(first);
    expect((await world.tuples('s')).length).toBe(2);
  });

  test('is found out when it comes with another request: under way, or recorded', async () => {
    await using world = new EngineWorld();
    const first = world.ask('in', 's', { template: ['a'] }, key);
    const early = world.ask('in', 's', { template: ['b'] }, other);
    await world.turns.idle();
    expect(early.state).toBe('key_reused');
    await world.out('s', ['a'], ['b']);
    await expect(world.get('in', 's', { template: ['b'] }, other)).rejects.toMatchObject({
      code: 'key_reused',
    });
    expect(await world.get('in', 's', { template: ['a'] }, key)).toEqual(first.value);
    expect(await world.tuples('s')).toEqual([['b']]);
  });

  test.each([
    ['take', null],
    ['takeMany', { entries: [] }],
  ] as const)(
    'whose %s found nothing in time, has found nothing when it is sent again',
    async (op, nothing) => {
      await using world = new EngineWorld();
      const call = world.ask(op, 's', { template: ['a'], timeout: 50 }, key);
      await world.advance(49);
      expect(call.open).toBe(true);
      await world.advance(1);
      expect(call.value).toEqual(nothing);
      await world.out('s', ['a']);
      expect(await world.get(op, 's', { template: ['a'], timeout: 50 }, key)).toEqual(nothing);
      expect(await world.tuples('s')).toEqual([['a']]);
    },
  );

  test('that failed is tried anew', async () => {
    await using world = new EngineWorld();
    await expect(world.get('cancel', 's', { id: 1 }, key)).rejects.toMatchObject({ code: 'not_found' });
    await world.out('s', ['a']);
    expect(await world.get('cancel', 's', { id: 1 }, key)).toEqual({ id: 1 });
    expect(await world.get('cancel', 's', { id: 1 }, key)).toEqual({ id: 1 });
  });

  test('goes on while one of its callers stays', async () => {
    await using world = new EngineWorld();
    const calls = [0, 1, 2].map(() => world.ask('in', 's', { template: ['a'] }, key));
    await world.turns.idle();
    calls[0]?.abandon();
    calls[2]?.abandon();
    await world.out('s', ['a']);
    expect(calls.map(({ state }) => state)).toEqual(['aborted', 'ok', 'aborted']);
    const [again] = [world.ask('in', 's', { template: ['a'] }, key)];
    await world.turns.idle();
    expect(again?.value).toEqual(calls[1]?.value);
  });

  test('that all callers abandoned leaves nothing behind', async () => {
    await using world = new EngineWorld();
    world.ask('in', 's', { template: ['a'] }, key).abandon();
    await world.out('s', ['a'], ['b']);
    expect(await world.get('in', 's', { template: ['b'] }, other)).toMatchObject({ tuple: ['b'] });
    expect(await world.tuples('s')).toEqual([['a']]);
  });

  test('is recorded in the commit of its effect', async () => {
    const recorded: string[] = [];
    await using world = new EngineWorld((store: Store) =>
      interpose(store, method => void recorded.push(method)),
    );
    await world.turns.idle();
    recorded.length = 0;
    world.ask('take', 's', { template: ['a'], timeout: 5 }, key);
    await world.turns.idle();
    await world.out('s', ['a']);
    expect(recorded.filter(method => /^(record|commit|takeNumber)$/.test(method))).toEqual([
      'commit',
      'takeNumber',
      'record',
      'commit',
    ]);
  });

  test('whose time ends while its batch is under way, is still answered once', async () => {
    const gate = new Gate();
    let held = false;
    await using world = new EngineWorld((store: Store) =>
      interpose(store, method => (held && method === 'commit' ? gate.passed : undefined)),
    );
    await world.turns.idle();
    held = true;
    const call = world.ask('take', 's', { template: [any], timeout: 5 }, key);
    await world.turns.idle();
    await world.advance(5);
    for (const tuple of [['a'], ['b']]) world.ask('out', 's', { tuple });
    held = false;
    gate.open();
    await world.turns.idle();
    expect(call.answers).toHaveLength(1);
    expect((await world.tuples('s')).length).toBe(call.value === null ? 2 : 1);
  });
});
