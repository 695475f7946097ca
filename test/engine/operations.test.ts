/** Every operation on spaces, as SPEC section 3 has it, one request at a time. */
import { describe, expect, test } from 'vitest';
import { EngineWorld } from '../support/engine-world.js';

const any = { $any: true };
const rest = { $rest: true };
const job = ['job', any];
/** A template for tuples that are not there. */
const nothing = ['nothing'];

describe('out', () => {
  test('gives id and position, which grow', async () => {
    await using world = new EngineWorld();
    const first = await world.get('out', 's', { tuple: ['a'] });
    const second = await world.get('out', 't', { tuple: ['a'] });
    expect(first).toEqual({ id: expect.any(Number), position: expect.any(Number) });
    expect(second).toMatchObject({ id: expect.any(Number) });
    const positions = [first, second].map(answer => ('position' in answer ? answer.position : null));
    expect(positions[1]).toBeGreaterThan(positions[0] as number);
  });

  test('with `unless`, is not done if anything matches, and names the oldest of it', async () => {
    await using world = new EngineWorld();
    const out = (tuple: string[], unless: unknown) => world.get('out', 's', { tuple, unless });
    const made = await out(['lock', 'x'], ['lock', 'x']);
    expect(made).toHaveProperty('position');
    expect(await out(['lock', 'x'], ['lock', any])).toEqual({
      created: false,
      existing: 'id' in made && made.id,
    });
    expect(await out(['lock', 'y'], ['lock', 'y'])).toHaveProperty('position');
    expect(await world.get('count', 's', { template: [rest] })).toEqual({ count: 2 });
  });

  test('with `unless`, sees what still waits for its time, but not what has expired', async () => {
    await using world = new EngineWorld();
    const later = await world.get('out', 's', { tuple: ['a'], delay: 50, ttl: 10 });
    const existing = { created: false, existing: 'id' in later && later.id };
    const again = () => world.get('out', 's', { tuple: ['b'], unless: ['a'] });
    expect(await again()).toEqual(existing);
    await world.advance(59);
    expect(await again()).toEqual(existing);
    await world.advance(1);
    expect(await again()).toHaveProperty('position');
  });

  test('with `unless` and `delay` or waiters, is as atomic', async () => {
    await using world = new EngineWorld();
    const taken = world.ask('in', 's', { template: ['a'] });
    const first = world.ask('out', 's', { tuple: ['a'], unless: ['a'] });
    const second = world.ask('out', 's', { tuple: ['a'], unless: ['a'], delay: 10 });
    const third = world.ask('out', 's', { tuple: ['a'], unless: ['a'] });
    await world.turns.idle();
    expect(taken.value).toMatchObject({ tuple: ['a'] });
    expect(first.value).toHaveProperty('position');
    expect(second.value).toMatchObject({ position: null });
    expect(third.value).toHaveProperty('created', false);
  });
});

describe('outMany', () => {
  test('puts them all, in order, and answers their ids', async () => {
    await using world = new EngineWorld();
    const { entries } = await world.get('outMany', 's', { tuples: [['a'], ['b'], ['c']] });
    const scanned = await world.get('scan', 's', { template: [any] });
    expect(scanned.entries.map(({ tuple }) => tuple)).toEqual([['a'], ['b'], ['c']]);
    expect(entries).toEqual(scanned.entries.map(({ id, position }) => ({ id, position })));
  });

  test('has one ttl and one delay for all', async () => {
    await using world = new EngineWorld();
    const { entries } = await world.get('outMany', 's', { tuples: [['a'], ['b']], delay: 10, ttl: 5 });
    expect(entries.map(({ position }) => position)).toEqual([null, null]);
    await world.advance(10);
    expect(await world.tuples('s')).toEqual([['a'], ['b']]);
    await world.advance(5);
    expect(await world.tuples('s')).toEqual([]);
  });

  test('meets waiters tuple by tuple', async () => {
    await using world = new EngineWorld();
    const [first, second] = [
      world.ask('in', 's', { template: job }),
      world.ask('in', 's', { template: job }),
    ];
    await world.turns.idle();
    await world.get('outMany', 's', {
      tuples: [
        ['job', 1],
        ['job', 2],
        ['job', 3],
      ],
    });
    expect([first.value?.tuple, second.value?.tuple]).toEqual([
      ['job', 1],
      ['job', 2],
    ]);
    expect(await world.tuples('s')).toEqual([['job', 3]]);
  });
});

describe.each([
  ['in', true],
  ['rd', false],
  ['take', true],
  ['read', false],
] as const)('%s', (op, takes) => {
  test(`gives the oldest match with all that is known of it, and ${takes ? 'removes' : 'leaves'} it`, async () => {
    await using world = new EngineWorld();
    await world.out('s', ['other'], ['job', 1], ['job', 2]);
    const made = world.clock.wall();
    expect(await world.get(op, 's', { template: job })).toEqual({
      id: 2,
      position: 2,
      tuple: ['job', 1],
      returns: 0,
      created: made,
    });
    expect((await world.tuples('s')).length).toBe(takes ? 2 : 3);
  });

  test('follows an order', async () => {
    await using world = new EngineWorld();
    await world.out('s', ['job', 2], ['job', 3], ['job', 1], ['job', 'x'], ['job', null]);
    const first = async (order: unknown) => {
      const entry = await world.get(op, 's', { template: job, order });
      if (takes && entry) await world.out('s', [...entry.tuple]);
      return entry?.tuple[1];
    };
    expect(await first('oldest')).toBe(2);
    expect(await first({ field: 1 })).toBe(null);
    expect(await first({ field: 1, dir: 'desc' })).toBe('x');
    expect(await first('newest')).toBe(takes ? 'x' : null);
    expect(await first({ field: 9, dir: 'desc' })).toBe(takes ? 3 : 2);
  });

  test('gives one that matches any of the templates', async () => {
    await using world = new EngineWorld();
    await world.out('s', ['a'], ['b'], ['c']);
    const template = { $anyOf: [['c'], ['b']] };
    expect(await world.get(op, 's', { template })).toMatchObject({ tuple: ['b'] });
  });

  test('waits until its timeout, and then answers null', async () => {
    await using world = new EngineWorld();
    const call = world.ask(op, 's', { template: nothing, timeout: 100 });
    await world.advance(99);
    expect(call.open).toBe(true);
    expect(world.engine.waiting).toBe(1);
    await world.advance(1);
    expect(call.value).toBeNull();
    expect(world.engine.waiting).toBe(0);
  });

  test('gets what comes while it waits, and then its timeout means nothing', async () => {
    await using world = new EngineWorld();
    const call = world.ask(op, 's', { template: job, timeout: 100 });
    await world.advance(50);
    await world.out('s', ['other'], ['job', 7]);
    expect(call.value).toMatchObject({ tuple: ['job', 7] });
    expect((await world.tuples('s')).length).toBe(takes ? 1 : 2);
    await world.advance(100);
    expect(call.value).toMatchObject({ tuple: ['job', 7] });
  });

  test('with timeout 0 does not wait', async () => {
    await using world = new EngineWorld();
    expect(await world.get(op, 's', { template: nothing, timeout: 0 })).toBeNull();
  });

  test(op === 'in' || op === 'rd' ? 'has no limit of its own' : 'does not wait unless told to', async () => {
    await using world = new EngineWorld();
    const call = world.ask(op, 's', { template: nothing });
    await world.advance(1_000_000_000);
    expect(call.state).toBe(op === 'in' || op === 'rd' ? 'open' : 'ok');
  });
});

describe('takeMany', () => {
  test('takes the oldest matches, up to its limit', async () => {
    await using world = new EngineWorld();
    await world.out('s', ['job', 1], ['other'], ['job', 2], ['job', 3]);
    const { entries } = await world.get('takeMany', 's', { template: job, limit: 2 });
    expect(entries.map(({ tuple }) => tuple)).toEqual([
      ['job', 1],
      ['job', 2],
    ]);
    expect(await world.tuples('s')).toEqual([['other'], ['job', 3]]);
  });

  test('does not wait unless told to, and then for the first only', async () => {
    await using world = new EngineWorld();
    expect(await world.get('takeMany', 's', { template: job })).toEqual({ entries: [] });
    const call = world.ask('takeMany', 's', { template: job, timeout: 100 });
    await world.advance(99);
    expect(call.open).toBe(true);
    await world.get('outMany', 's', { tuples: [['job', 1], ['other'], ['job', 2]] });
    expect(call.value.entries.map(({ tuple }) => tuple)).toEqual([
      ['job', 1],
      ['job', 2],
    ]);
    expect(await world.tuples('s')).toEqual([['other']]);
  });

  test('that waited takes no more than its limit', async () => {
    await using world = new EngineWorld();
    const calls = [1, 2].map(limit => world.ask('takeMany', 's', { template: job, timeout: 100, limit }));
    await world.turns.idle();
    await world.get('outMany', 's', { tuples: [1, 2, 3, 4].map(n => ['job', n]) });
    expect(calls.map(({ value }) => value.entries.map(({ tuple }) => tuple[1]))).toEqual([[1], [2, 3]]);
    expect(await world.tuples('s')).toEqual([['job', 4]]);
  });

  test('answers none when its timeout ends it', async () => {
    await using world = new EngineWorld();
    const call = world.ask('takeMany', 's', { template: job, timeout: 10 });
    await world.advance(10);
    expect(call.value).toEqual({ entries: [] });
  });
});

describe('scan and count', () => {
  test('scan gives entries in order, with a cursor where there may be more', async () => {
    await using world = new EngineWorld();
    await world.out('s', ...[1, 2, 3, 4, 5].map(n => ['job', n]), ['other']);
    const page = (after: number, limit: number) => world.get('scan', 's', { template: job, limit, after });
    const first = await page(0, 2);
    expect(first.entries.map(({ tuple }) => tuple[1])).toEqual([1, 2]);
    expect(first.next).toBe(first.entries[1]?.position);
    const second = await page(first.next as number, 2);
    expect(second.entries.map(({ tuple }) => tuple[1])).toEqual([3, 4]);
    const third = await page(second.next as number, 2);
    expect(third.entries.map(({ tuple }) => tuple[1])).toEqual([5]);
    expect(third.next).toBeNull();
    expect(third.event).toBeGreaterThan(0);
  });

  test('count counts what is visible', async () => {
    await using world = new EngineWorld();
    await world.out('s', ['job', 1], ['job', 2], ['other']);
    await world.get('out', 's', { tuple: ['job', 3], delay: 10 });
    await world.get('out', 's', { tuple: ['job', 4], ttl: 10 });
    const count = async () => (await world.get('count', 's', { template: job })).count;
    expect(await count()).toBe(3);
    expect(
      (await world.get('count', 's', { template: { $anyOf: [job, ['job', 1], ['other']] } })).count,
    ).toBe(4);
    await world.advance(10);
    expect(await count()).toBe(3);
    expect((await world.get('count', 'elsewhere', { template: job })).count).toBe(0);
  });
});

describe('renew and cancel', () => {
  test('renew sets the end of an entry, counted from now', async () => {
    await using world = new EngineWorld();
    const { entries } = await world.get('outMany', 's', { tuples: [['a'], ['b']], ttl: 10 });
    await world.advance(9);
    const [a] = entries;
    expect(await world.get('renew', 's', { id: a?.id, ttl: 10 })).toEqual({
      id: a?.id,
      expires: world.clock.wall() + 10,
    });
    await world.advance(9);
    expect(await world.tuples('s')).toEqual([['a']]);
    await world.advance(1);
    expect(await world.tuples('s')).toEqual([]);
  });

  test('renew gives an end to what had none, and may shorten one', async () => {
    await using world = new EngineWorld();
    await world.out('s', ['a']);
    await world.get('renew', 's', { id: 1, ttl: 1_000 });
    await world.get('renew', 's', { id: '1', ttl: 5 });
    await world.advance(5);
    expect(await world.tuples('s')).toEqual([]);
  });

  test('cancel removes an entry, also one that still waits for its time', async () => {
    await using world = new EngineWorld();
    await world.get('outMany', 's', { tuples: [['a'], ['b']] });
    await world.get('out', 's', { tuple: ['c'], delay: 5 });
    expect(await world.get('cancel', 's', { id: 1 })).toEqual({ id: 1 });
    expect(await world.get('cancel', 's', { id: '3' })).toEqual({ id: 3 });
    await world.advance(10);
    expect(await world.tuples('s')).toEqual([['b']]);
  });

  test.each(['renew', 'cancel'] as const)('%s of what is not there is not_found', async op => {
    await using world = new EngineWorld();
    await world.out('other', ['a']);
    await world.out('s', ['b'], ['c']);
    await world.get('out', 's', { tuple: ['d'], ttl: 5 });
    await world.get('take', 's', { template: ['c'] });
    await world.advance(5);
    for (const id of [1, 3, 4, 99, -1, 0, '', 'x', '1e400', '2.5']) {
      const values = op === 'renew' ? { id, ttl: 5 } : { id };
      await expect(world.get(op, 's', values)).rejects.toMatchObject({ code: 'not_found', outcome: 'none' });
    }
    expect(await world.tuples('s')).toEqual([['b']]);
  });
});

describe('what tells of spaces', () => {
  test('space and spaces count tuples and waiters', async () => {
    await using world = new EngineWorld();
    await world.out('b', [1], [2]);
    await world.out('a', [1]);
    world.ask('in', 'a', { template: nothing });
    world.ask('rd', 'a', { template: nothing });
    expect(await world.get('space', 'a')).toEqual({
      space: 'a',
      tuples: 1,
      waiters: 2,
      watches: 0,
      holds: 0,
    });
    expect(await world.get('space', 'c')).toEqual({
      space: 'c',
      tuples: 0,
      waiters: 0,
      watches: 0,
      holds: 0,
    });
    expect(await world.get('spaces', '')).toEqual({
      spaces: [
        { space: 'a', tuples: 1 },
        { space: 'b', tuples: 2 },
      ],
    });
  });

  test.each([
    [['a', any], 'oldest', false],
    [[any, 'a'], 'newest', false],
    [[any, any, any, any, 'a'], 'oldest', true],
    [[{ $gt: 1 }, any], 'oldest', false],
    [[{ $has: {} }, any], 'oldest', true],
    [['a', any, rest], { field: 1, dir: 'desc' }, false],
    [['a', any, any], { field: 2, dir: 'asc' }, true],
    [{ $anyOf: [['a'], [any]] }, 'oldest', true],
  ])('explain %j in order %j: scan %s', async (template, order, scan) => {
    await using world = new EngineWorld();
    expect(await world.get('explain', 's', { template, order })).toMatchObject({ order, scan });
  });
});
