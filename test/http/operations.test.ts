/** What each operation answers over REST. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqlite } from '../../server/store/sqlite.js';
import { interpose } from '../support/interposed-store.js';
import { bad, RestWorld } from './rest-world.js';

let world: RestWorld;
beforeEach(async () => {
  world = await RestWorld.open();
});
afterEach(() => world[Symbol.asyncDispose]());

const any = [{ $rest: true }];

describe('out', () => {
  test('is 201 with id and position', async () => {
    expect(await world.post('out', { tuple: ['a', 1] })).toMatchObject({
      status: 201,
      body: { id: 1, position: 1 },
    });
    expect(await world.tuples()).toEqual([['a', 1]]);
  });

  test('with a delay has no position yet', async () => {
    const { status, body } = await world.post('out', { tuple: ['a'], delay: 1_000 });
    expect({ status, body }).toEqual({ status: 201, body: { id: expect.any(Number), position: null } });
    expect(await world.tuples()).toEqual([]);
  });

  test('with a ttl ends', async () => {
    await world.post('out', { tuple: ['a'], ttl: 1_000 });
    world.clock.advance(1_000);
    expect(await world.tuples()).toEqual([]);
  });

  test('is 200 and puts nothing where `unless` matches', async () => {
    const { body } = await world.post('out', { tuple: ['a', 1] });
    const second = await world.post('out', { tuple: ['a', 2], unless: ['a', { $any: true }] });
    expect(second).toMatchObject({ status: 200, body: { created: false, existing: body.id } });
    expect(await world.post('out', { tuple: ['b'], unless: ['b'] })).toMatchObject({ status: 201 });
  });
});

test('outMany is 201 with an id and a position for each', async () => {
  const { status, body } = await world.post('outMany', { tuples: [['a'], ['b']] });
  expect({ status, body }).toEqual({
    status: 201,
    body: {
      entries: [
        { id: 1, position: 1 },
        { id: 2, position: 2 },
      ],
    },
  });
});

describe.each([
  ['in', true],
  ['rd', false],
  ['take', true],
  ['read', false],
])('%s', (op, takes) => {
  test('is 200 with the entry', async () => {
    await world.post('out', { tuple: ['a', { b: [1, null, 'ü'] }] });
    const { status, body } = await world.post(op, { template: ['a', { $any: true }] });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: 1, position: 1, returns: 0, tuple: ['a', { b: [1, null, 'ü'] }] });
    expect(await world.tuples()).toHaveLength(takes ? 0 : 1);
  });

  test('answers by the order that is asked for', async () => {
    await world.post('outMany', {
      tuples: [
        ['a', 2],
        ['a', 9],
        ['a', 5],
      ],
    });
    const newest = await world.post(op, { template: ['a', { $any: true }], order: 'newest' });
    expect(newest.body.tuple).toEqual(['a', 5]);
    const highest = await world.post(op, { template: any, order: { field: 1, dir: 'desc' } });
    expect(highest.body.tuple).toEqual(['a', 9]);
  });

  test('waits for a match', async () => {
    const waiting = world.post(op, { template: ['a'], timeout: 5_000 });
    await world.waiters(1);
    await world.post('out', { tuple: ['a'] });
    expect(await waiting).toMatchObject({ status: 200, body: { tuple: ['a'] } });
  });

  test('is 204 without a body when its time is over', async () => {
    const waiting = world.post(op, { template: ['a'], timeout: 5_000 });
    await world.waiters(1);
    world.clock.advance(4_999);
    expect(world.engine.waiting).toBe(1);
    world.clock.advance(1);
    const { status, text, headers } = await waiting;
    expect({ status, text, type: headers['content-type'] }).toEqual({
      status: 204,
      text: '',
      type: undefined,
    });
  });
});

test.each(['in', 'rd'])('%s waits for 30 seconds unless it is told', async op => {
  const waiting = world.post(op, { template: ['a'] });
  await world.waiters(1);
  world.clock.advance(29_999);
  expect(world.engine.waiting).toBe(1);
  world.clock.advance(1);
  expect((await waiting).status).toBe(204);
});

test.each(['take', 'read'])('%s does not wait unless it is told', async op => {
  expect((await world.post(op, { template: ['a'] })).status).toBe(204);
});

test.each(['in', 'rd', 'take', 'read', 'takeMany'])('%s waits for 300 seconds at most', async op => {
  const field = 'timeout';
  expect(await world.post(op, { template: ['a'], timeout: 300_001 })).toMatchObject(
    bad(400, 'invalid', field),
  );
  const waiting = world.post(op, { template: ['a'], timeout: 300_000 });
  await world.waiters(1);
  await world.post('out', { tuple: ['a'] });
  expect((await waiting).status).toBe(200);
});

test('takeMany is 200 with what it took, maybe nothing', async () => {
  await world.post('outMany', {
    tuples: [
      ['a', 1],
      ['a', 2],
      ['a', 3],
    ],
  });
  const two = await world.post('takeMany', { template: any, limit: 2 });
  expect(two.status).toBe(200);
  expect(two.body.entries.map((entry: { tuple: unknown }) => entry.tuple)).toEqual([
    ['a', 1],
    ['a', 2],
  ]);
  expect((await world.post('takeMany', { template: ['b'] })).body).toEqual({ entries: [] });
  expect(await world.tuples()).toEqual([['a', 3]]);
});

test('scan goes through the space page by page', async () => {
  await world.post('outMany', { tuples: [['a'], ['b'], ['c']] });
  const first = await world.post('scan', { template: any, limit: 2 });
  expect(first.status).toBe(200);
  expect(first.body).toMatchObject({ next: 2, event: expect.any(Number) });
  const second = await world.post('scan', { template: any, limit: 2, after: first.body.next });
  expect(second.body).toMatchObject({ entries: [{ tuple: ['c'] }], next: null });
});

test('count and explain', async () => {
  await world.post('outMany', {
    tuples: [
      ['a', 1],
      ['a', 2],
      ['b', 1],
    ],
  });
  const template = ['a', { $any: true }];
  expect(await world.post('count', { template })).toMatchObject({ status: 200, body: { count: 2 } });
  const { status, body } = await world.post('explain', { template });
  expect(status).toBe(200);
  expect(body).toMatchObject({ index: expect.any(String), exact: [0], scan: false, order: 'oldest' });
});

test('renew sets the end of an entry; 404 where there is none', async () => {
  const { body } = await world.post('out', { tuple: ['a'], ttl: 1_000 });
  const expires = world.clock.wall() + 5_000;
  expect(await world.post('renew', { id: body.id, ttl: 5_000 })).toMatchObject({
    status: 200,
    body: { expires },
  });
  world.clock.advance(4_999);
  expect(await world.tuples()).toEqual([['a']]);
  expect(await world.post('renew', { id: 99, ttl: 1 })).toMatchObject(bad(404, 'not_found'));
});

test('cancel removes an entry; 404 where there is none', async () => {
  const { body } = await world.post('out', { tuple: ['a'] });
  expect(await world.post('cancel', { id: body.id })).toMatchObject({ status: 200, body: { id: body.id } });
  expect(await world.tuples()).toEqual([]);
  expect(await world.post('cancel', { id: body.id })).toMatchObject(bad(404, 'not_found'));
});

test('GET spaces and GET space', async () => {
  await world.post('/v1/spaces/b.1/out', { tuple: ['x'] });
  await world.post('out', { tuple: ['x'] });
  const { body } = await world.get('/v1/spaces');
  expect(body.spaces).toEqual(
    expect.arrayContaining([
      { space: 'b.1', tuples: 1 },
      { space: 's', tuples: 1 },
    ]),
  );
  const waiting = world.post('in', { template: ['never'] });
  await world.waiters(1);
  const space = { space: 's', tuples: 1, waiters: 1, watches: 0, holds: 0 };
  expect(await world.get('/v1/spaces/s')).toMatchObject({ status: 200, body: space });
  expect(await world.get('/v1/spaces/unheard-of')).toMatchObject({ status: 200, body: { tuples: 0 } });
  world.clock.advance(30_000);
  await waiting;
});

test('HEAD is GET without a body', async () => {
  expect(await world.ask({ method: 'HEAD', url: '/v1/spaces' })).toMatchObject({ status: 200, text: '' });
});

test('the space locks may be looked at, not changed', async () => {
  for (const [op, body] of [
    ['out', { tuple: ['x'] }],
    ['outMany', { tuples: [['x']] }],
    ['in', { template: any }],
    ['take', { template: any }],
    ['takeMany', { template: any }],
    ['renew', { id: 1, ttl: 1 }],
    ['cancel', { id: 1 }],
  ] as const) {
    expect(await world.post(`/v1/spaces/locks/${op}`, body)).toMatchObject(bad(403, 'forbidden', 'space'));
  }
  expect((await world.post('/v1/spaces/locks/scan', { template: any })).status).toBe(200);
  expect((await world.post('/v1/spaces/locks/read', { template: any })).status).toBe(204);
});

describe('when it cannot', () => {
  test('a draining server is 503 with Retry-After, for those who wait too', async () => {
    const waiting = world.post('in', { template: ['a'] });
    await world.waiters(1);
    await world.engine.drain();
    for (const answer of [
      await waiting,
      await world.post('out', { tuple: ['a'] }),
      await world.get('/v1/spaces'),
    ]) {
      expect(answer).toMatchObject(bad(503, 'unavailable'));
      expect(answer.headers['retry-after']).toBe('1');
    }
  });

  test('a storage that fails in the middle is 503, and says that the outcome is unknown', async () => {
    let broken = false;
    const store = interpose(openSqlite(':memory:'), method => {
      if (broken && method === 'commit') throw new Error('disk: secret path');
    });
    await using failing = await RestWorld.open({}, store);
    await failing.post('out', { tuple: ['a'] });
    broken = true;
    const answer = await failing.post('out', { tuple: ['b'] });
    expect(answer).toMatchObject(bad(503, 'unavailable'));
    expect(answer.body.outcome).toBe('unknown');
    expect(answer.text).not.toContain('secret');
  });

  test('a fault of ours is 500, tells nothing of itself, and is logged', async () => {
    const lines: string[] = [];
    await using faulty = await RestWorld.open({
      logger: { level: 'error', stream: { write: (line: string) => void lines.push(line) } },
    });
    faulty.engine.submit = () => {
      throw new TypeError('secret is not a function');
    };
    const answer = await faulty.post('out', { tuple: ['b'] });
    expect(answer).toMatchObject(bad(500, 'internal'));
    expect(answer.text).not.toContain('secret');
    expect(lines.join()).toContain('secret');
  });
});
