/** `Idempotency-Key`: one effect and one answer, however often a request comes. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sharedToken } from '../../server/auth/auth.js';
import { TupletError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import { bad, type Headers, RestWorld } from './rest-world.js';

let world: RestWorld;
beforeEach(async () => {
  world = await RestWorld.open();
});
afterEach(() => world[Symbol.asyncDispose]());

const key = (name: string): Headers => ({ 'idempotency-key': name });
const said = ({ status, text }: { status: number; text: string }) => ({ status, text });

test.each([
  ['out', { tuple: ['a'] }, 201],
  ['out', { tuple: ['b'], unless: ['x'] }, 200],
  ['outMany', { tuples: [['a'], ['b']] }, 201],
  ['in', { template: ['x'] }, 200],
  ['rd', { template: ['x'] }, 200],
  ['take', { template: ['x'] }, 200],
  ['take', { template: ['none'] }, 204],
  ['read', { template: ['x'] }, 200],
  ['takeMany', { template: ['x'] }, 200],
  ['scan', { template: ['x'] }, 200],
  ['count', { template: ['x'] }, 200],
  ['explain', { template: ['x'] }, 200],
  ['renew', { id: 1, ttl: 700_000 }, 200],
  ['cancel', { id: 1 }, 200],
] as const)('%s %j is done once, and answered by %i again and again', async (op, body, status) => {
  await world.post('outMany', { tuples: [['x'], ['x']] });
  const first = await world.post(op, body, key('k'));
  expect(first.status).toBe(status);
  const after = await world.tuples();
  world.clock.advance(limits.idempotencyMs - 1);
  for (let again = 0; again < 3; again++)
    expect(said(await world.post(op, body, key('k')))).toEqual(said(first));
  expect(await world.tuples()).toEqual(after);
});

test('after ten minutes the key is free again', async () => {
  const first = await world.post('out', { tuple: ['a'] }, key('k'));
  world.clock.advance(limits.idempotencyMs);
  const second = await world.post('out', { tuple: ['a'] }, key('k'));
  expect(second.status).toBe(201);
  expect(second.body.id).not.toBe(first.body.id);
  expect(await world.tuples()).toHaveLength(2);
});

describe('the same key with another request is 422', () => {
  test.each([
    ['another body', 'out', { tuple: ['b'] }],
    ['another argument', 'out', { tuple: ['a'], ttl: 1_000 }],
    ['another operation', 'count', { template: ['a'] }],
    ['another space', '/v1/spaces/other/out', { tuple: ['a'] }],
  ])('%s', async (_what, op, body) => {
    await world.post('out', { tuple: ['a'] }, key('k'));
    expect(await world.post(op, body, key('k'))).toMatchObject(bad(422, 'key_reused'));
    expect(await world.tuples()).toEqual([['a']]);
    expect((await world.post(op, body, key('another'))).status).toBeLessThan(300);
  });

  test('while the first still waits, too', async () => {
    const waiting = world.post('in', { template: ['a'] }, key('k'));
    await world.waiters(1);
    expect(await world.post('in', { template: ['b'] }, key('k'))).toMatchObject(bad(422, 'key_reused'));
    await world.post('out', { tuple: ['a'] });
    expect((await waiting).status).toBe(200);
  });
});

test('the order of keys and the spelling of numbers and paths make no other request', async () => {
  const headers = { 'content-type': 'application/json', ...key('k') };
  const ask = (url: string, payload: string) => world.ask({ method: 'POST', url, payload, headers });
  const first = await ask('/v1/spaces/s/out', '{"tuple":[{"a":1,"b":2}],"ttl":60000}');
  const second = await ask('/v1/spaces/%73/out', '{ "ttl": 6e4, "tuple": [{"b":2.0,"a":1}] }');
  expect(said(second)).toEqual(said(first));
  expect(await world.tuples()).toHaveLength(1);
});

test('a retry joins a request that waits: one tuple serves both', async () => {
  const ask = () => world.post('in', { template: ['a', { $any: true }] }, key('k'));
  const [first, second] = [ask(), ask()];
  await world.waiters(1);
  const third = ask();
  await world.post('outMany', {
    tuples: [
      ['a', 1],
      ['a', 2],
    ],
  });
  const answers = await Promise.all([first, second, third]);
  expect(answers.map(({ body }) => body.tuple)).toEqual([
    ['a', 1],
    ['a', 1],
    ['a', 1],
  ]);
  expect(await world.tuples()).toEqual([['a', 2]]);
});

test('that nothing came in time is an answer as well: 204 is kept', async () => {
  const waiting = world.post('in', { template: ['a'], timeout: 1_000 }, key('k'));
  await world.waiters(1);
  world.clock.advance(1_000);
  expect((await waiting).status).toBe(204);
  await world.post('out', { tuple: ['a'] });
  expect((await world.post('in', { template: ['a'], timeout: 1_000 }, key('k'))).status).toBe(204);
  expect(await world.tuples()).toEqual([['a']]);
});

test('an error is not kept: the retry is a new try', async () => {
  expect((await world.post('cancel', { id: 1 }, key('k'))).status).toBe(404);
  expect((await world.post('out', { tuple: ['a'] })).body.id).toBe(1);
  expect((await world.post('cancel', { id: 1 }, key('k'))).status).toBe(200);
});

test('a refused request leaves its key free', async () => {
  expect((await world.post('out', { tuple: [] }, key('k'))).status).toBe(400);
  expect((await world.post('out', { tuple: ['a'] }, key('k'))).status).toBe(201);
});

test('keys belong to who sends them', async () => {
  const known = sharedToken('one');
  await using two = await RestWorld.open({
    authenticator: {
      identify(token) {
        if (token === undefined) throw new TupletError('unauthorized', 'token');
        return token === 'one' ? known.identify(token) : { name: token };
      },
    },
  });
  const ask = (token: string) =>
    two.post('out', { tuple: ['a'] }, { ...key('k'), authorization: `Bearer ${token}` });
  expect((await ask('one')).body.id).toBe(1);
  expect((await ask('two')).body.id).toBe(2);
  expect((await ask('one')).body.id).toBe(1);
});

test('a key on a GET does nothing', async () => {
  expect(await world.get('/v1/spaces', key('k'))).toMatchObject({ body: { spaces: [] } });
  await world.post('out', { tuple: ['a'] });
  expect(await world.get('/v1/spaces', key('k'))).toMatchObject({
    body: { spaces: [{ space: 's', tuples: 1 }] },
  });
});
