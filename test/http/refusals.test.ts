/** Every kind of bad input: refused by its code and field, and the server goes on. */
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sharedToken } from '../../server/auth/auth.js';
import { limits } from '../../shared/limits.js';
import { bad, type Headers, RestWorld } from './rest-world.js';

let world: RestWorld;
beforeAll(async () => {
  world = await RestWorld.open();
});
afterAll(() => world[Symbol.asyncDispose]());

const json = { 'content-type': 'application/json' };
const post = (op: string, payload: string | Buffer, headers: Headers = json): InjectOptions => ({
  method: 'POST',
  url: op.startsWith('/') ? op : `/v1/spaces/s/${op}`,
  payload,
  headers,
});
const get = (url: string): InjectOptions => ({ method: 'GET', url });
const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const tuple = (field: string) => `{"tuple":["a",${field}]}`;
const template = (pattern: string) => `{"template":["a",${pattern}]}`;

type Case = [what: string, ask: InjectOptions, status: number, code: string, field?: string];

const cases: readonly Case[] = [
  ['an empty body', post('out', ''), 400, 'invalid', 'body'],
  ['blanks', post('out', ' \n'), 400, 'invalid', 'body'],
  ['half a body', post('out', '{"tuple":["a"'), 400, 'invalid', 'body'],
  [
    'an unclosed string beside a long number',
    post('out', `[1234567890123456789,"${'\\"'.repeat(500_000)}`),
    400,
    'invalid',
    'body',
  ],
  ['two bodies', post('out', '{"tuple":["a"]}{}'), 400, 'invalid', 'body'],
  [
    'bytes that are not UTF-8',
    post('out', Buffer.from('{"tuple":["\xff"]}', 'latin1')),
    400,
    'invalid',
    'body',
  ],
  ['a body that is null', post('out', 'null'), 400, 'invalid', 'body'],
  ['a body that is a list', post('out', '[]'), 400, 'invalid', 'body'],
  ['a body that is a number', post('out', '7'), 400, 'invalid', 'body'],
  ['a body nested without end', post('out', deep(200_000)), 400, 'invalid', 'body'],
  ['a missing key', post('out', '{}'), 400, 'invalid', 'tuple'],
  ['an unknown key', post('out', '{"tuple":["a"],"colour":1}'), 400, 'invalid', 'colour'],
  [
    'a key of operations that are still to come',
    post('in', '{"template":["a"],"txn":"x"}'),
    400,
    'invalid',
    'txn',
  ],
  [
    'a key that is a path into a prototype',
    post('out', '{"tuple":["a"],"__proto__":{"ttl":1}}'),
    400,
    'invalid',
    '__proto__',
  ],
  ['the key constructor', post('out', '{"tuple":["a"],"constructor":{}}'), 400, 'invalid', 'constructor'],
  ['a tuple that is no list', post('out', '{"tuple":{"0":"a"}}'), 400, 'invalid', 'tuple'],
  ['a tuple without fields', post('out', '{"tuple":[]}'), 400, 'invalid', 'tuple'],
  [
    'a tuple with 65 fields',
    post('out', `{"tuple":[${Array(65).fill('1').join()}]}`),
    400,
    'invalid',
    'tuple',
  ],
  ['a number that no double keeps', post('out', tuple('9007199254740993')), 400, 'invalid', 'tuple[1]'],
  ['a number that is too large', post('out', tuple('{"n":1e400}')), 400, 'invalid', 'tuple[1].n'],
  ['a lone surrogate', post('out', tuple('"\\ud800"')), 400, 'invalid', 'tuple[1]'],
  ['a lone surrogate in a key', post('out', tuple('{"\\udfff":1}')), 400, 'invalid', 'tuple[1]'],
  ['__proto__ in a tuple', post('out', tuple('{"__proto__":1}')), 400, 'invalid', 'tuple[1]'],
  ['__proto__ in a template', post('in', template('{"__proto__":1}')), 400, 'invalid', 'template[1]'],
  ['a tuple that is too deep', post('out', tuple(deep(32))), 400, 'invalid'],
  ['a tuple nested without end', post('out', tuple(deep(200_000))), 400, 'invalid'],
  [
    'a tuple over its bytes',
    post('out', tuple(`"${'a'.repeat(limits.tupleBytes)}"`)),
    413,
    'too_large',
    'tuple',
  ],
  ['a fault in the middle of many', post('outMany', '{"tuples":[["a"],[]]}'), 400, 'invalid', 'tuples[1]'],
  ['none of many', post('outMany', '{"tuples":[]}'), 400, 'invalid', 'tuples'],
  [
    'too many',
    post(
      'outMany',
      `{"tuples":[${Array(limits.outManyTuples + 1)
        .fill('["a"]')
        .join()}]}`,
    ),
    400,
    'invalid',
    'tuples',
  ],
  ['an unknown formal', post('in', template('{"$like":"x"}')), 400, 'invalid', 'template[1]'],
  ['mixed formals', post('in', template('{"$gt":1,"$type":"number"}')), 400, 'invalid', 'template[1]'],
  ['bounds of two types', post('in', template('{"$gt":1,"$lt":"x"}')), 400, 'invalid', 'template[1]'],
  [
    'a rest that does not stand last',
    post('in', '{"template":[{"$rest":true},1]}'),
    400,
    'invalid',
    'template[0].$rest',
  ],
  [
    'a schema with a regular expression',
    post('in', template('{"$schema":{"pattern":"(a+)+$"}}')),
    400,
    'invalid',
    'template[1].$schema.pattern',
  ],
  ['a template that is a number', post('in', '{"template":7}'), 400, 'invalid', 'template'],
  [
    'an `unless` that is no template',
    post('out', '{"tuple":["a"],"unless":[{"$x":1}]}'),
    400,
    'invalid',
    'unless[0]',
  ],
  ['a timeout that is a text', post('in', '{"template":["a"],"timeout":"5"}'), 400, 'invalid', 'timeout'],
  ['a timeout with a fraction', post('in', '{"template":["a"],"timeout":0.5}'), 400, 'invalid', 'timeout'],
  ['a negative timeout', post('in', '{"template":["a"],"timeout":-1}'), 400, 'invalid', 'timeout'],
  ['an endless timeout', post('in', '{"template":["a"],"timeout":1e999}'), 400, 'invalid', 'timeout'],
  ['a timeout that is null', post('in', '{"template":["a"],"timeout":null}'), 400, 'invalid', 'timeout'],
  ['a ttl of zero', post('out', '{"tuple":["a"],"ttl":0}'), 400, 'invalid', 'ttl'],
  ['an order that is a word', post('in', '{"template":["a"],"order":"random"}'), 400, 'invalid', 'order'],
  [
    'an order by a field out of reach',
    post('in', '{"template":["a"],"order":{"field":64}}'),
    400,
    'invalid',
    'order.field',
  ],
  ['a limit of zero', post('scan', '{"template":["a"],"limit":0}'), 400, 'invalid', 'limit'],
  ['a limit over the bound', post('takeMany', '{"template":["a"],"limit":1001}'), 400, 'invalid', 'limit'],
  [
    'a cursor that no double keeps',
    post('scan', '{"template":["a"],"after":9007199254740993}'),
    400,
    'invalid',
    'after',
  ],
  ['an id that no double keeps', post('cancel', '{"id":1e400}'), 400, 'invalid', 'id'],
  ['an id that is no number', post('cancel', '{"id":"x"}'), 404, 'not_found'],
  ['a space with a slash', post('/v1/spaces/a%2Fb/out', tuple('1')), 400, 'invalid', 'space'],
  ['a space that begins with a dot', get('/v1/spaces/.hidden'), 400, 'invalid', 'space'],
  [
    'a space that begins with encoded dots',
    post('/v1/spaces/%2e%2ea/out', tuple('1')),
    400,
    'invalid',
    'space',
  ],
  ['a space without a name', post('/v1/spaces//out', tuple('1')), 400, 'invalid', 'space'],
  ['a space with NUL', get('/v1/spaces/a%00'), 400, 'invalid', 'space'],
  [
    'a space that is too long',
    get(`/v1/spaces/${'a'.repeat(limits.spaceNameCharacters + 1)}`),
    400,
    'invalid',
    'space',
  ],
  ['a path that cannot be decoded', get('/v1/spaces/%zz'), 400, 'invalid'],
  ['an argument in the query', post('in?timeout=5', '{"template":["a"]}'), 400, 'invalid', 'timeout'],
  ['a query that nobody knows', get('/v1/spaces?limit=5'), 400, 'invalid', 'limit'],
  ['__proto__ in the query', get('/v1/spaces?__proto__=5'), 400, 'invalid', '__proto__'],
  ['no content type', post('out', tuple('1'), {}), 415, 'unsupported_media', 'Content-Type'],
  [
    'neither content type nor body',
    { method: 'POST', url: '/v1/spaces/s/out' },
    415,
    'unsupported_media',
    'Content-Type',
  ],
  [
    'a form',
    post('out', 'tuple=1', { 'content-type': 'application/x-www-form-urlencoded' }),
    415,
    'unsupported_media',
    'Content-Type',
  ],
  [
    'text, as a page may send it without asking',
    post('out', tuple('1'), { 'content-type': 'text/plain' }),
    415,
    'unsupported_media',
    'Content-Type',
  ],
  [
    'almost JSON',
    post('out', tuple('1'), { 'content-type': 'application/jsonp' }),
    415,
    'unsupported_media',
    'Content-Type',
  ],
  [
    'a content type that is none',
    post('out', tuple('1'), { 'content-type': 'json' }),
    415,
    'unsupported_media',
  ],
  ['a body over its bytes', post('out', tuple(`"${'a'.repeat(limits.frameBytes)}"`)), 413, 'too_large'],
  [
    'an empty key',
    post('out', tuple('1'), { ...json, 'idempotency-key': '' }),
    400,
    'invalid',
    'Idempotency-Key',
  ],
  [
    'a key that is too long',
    post('out', tuple('1'), { ...json, 'idempotency-key': 'k'.repeat(257) }),
    400,
    'invalid',
    'Idempotency-Key',
  ],
  [
    'a key with an umlaut',
    post('out', tuple('1'), { ...json, 'idempotency-key': 'schlüssel' }),
    400,
    'invalid',
    'Idempotency-Key',
  ],
  [
    'a key with a tab',
    post('out', tuple('1'), { ...json, 'idempotency-key': 'a\tb' }),
    400,
    'invalid',
    'Idempotency-Key',
  ],
  ['an unknown path', get('/v1/nowhere'), 404, 'not_found'],
  ['an unknown path with a broken body', post('/nowhere', '{'), 404, 'not_found'],
  ['an operation that does not exist', post('steal', tuple('1')), 404, 'not_found'],
  ['an operation that is asked without a space', post('spaces', '{}'), 404, 'not_found'],
  ['GET where POST is meant', get('/v1/spaces/s/out'), 404, 'not_found'],
  ['DELETE', { method: 'DELETE', url: '/v1/spaces/s' }, 404, 'not_found'],
  ['PUT with a body', { method: 'PUT', url: '/v1/spaces/s', payload: '{}', headers: json }, 404, 'not_found'],
  ['OPTIONS', { method: 'OPTIONS', url: '/v1/spaces/s/out' }, 404, 'not_found'],
  [
    'a page of another site',
    post('out', tuple('1'), { ...json, origin: 'http://evil.example', host: 'localhost:7070' }),
    403,
    'forbidden',
    'Origin',
  ],
  [
    'a page of another port',
    post('out', tuple('1'), { ...json, origin: 'http://localhost:7071', host: 'localhost:7070' }),
    403,
    'forbidden',
    'Origin',
  ],
  [
    'a page of nowhere',
    post('out', tuple('1'), { ...json, origin: 'null', host: 'localhost' }),
    403,
    'forbidden',
    'Origin',
  ],
];

describe('refused', () => {
  test.each(cases)('%s', async (_what, ask, status, code, field) => {
    const before = await world.tuples();
    const answer = await world.ask(ask);
    expect(answer).toMatchObject(bad(status, code, field));
    expect(Object.keys(answer.body).sort()).toEqual(
      ['code', 'detail', ...('field' in answer.body ? ['field'] : []), 'status', 'title', 'type'].sort(),
    );
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    // It goes on, and nothing was done.
    expect(await world.tuples()).toEqual(before);
    const { body } = await world.post('out', { tuple: ['still', 'there'] });
    expect((await world.post('cancel', { id: body.id })).status).toBe(200);
  });
});

test.each([
  ['another case', 'Application/JSON'],
  ['a charset', 'application/json; charset=utf-8'],
])('a content type with %s is let in', async (_what, type) => {
  expect(await world.post('count', { template: ['x'] }, { 'content-type': type })).toMatchObject({
    status: 200,
  });
});

describe('Origin', () => {
  test.each([
    ['http://localhost:7070', 'localhost:7070'],
    ['http://LOCALHOST:7070', 'localhost:7070'],
    ['http://tuplet.example', 'tuplet.example:80'],
    ['https://tuplet.example', 'tuplet.example:443'],
    ['https://tuplet.example', 'tuplet.example'],
    ['http://[::1]:7070', '[::1]:7070'],
  ])('%s is at home at %s', async (origin, host) => {
    expect((await world.get('/v1/spaces', { origin, host })).status).toBe(200);
  });

  test.each(['/healthz', '/metrics', '/openapi.json', '/docs', '/nowhere'])(
    '%s is not for other sites',
    async path => {
      const answer = await world.get(path, { origin: 'http://evil.example', host: 'localhost' });
      expect(answer).toMatchObject(bad(403, 'forbidden', 'Origin'));
    },
  );

  test('routes that are registered later are behind it too', async () => {
    await using later = await RestWorld.open();
    await later.app.register(async app => void app.get('/later', async () => 'reached'));
    expect((await later.get('/later', { origin: 'http://evil.example' })).status).toBe(403);
  });
});

test('a server that knows its names is called by no other: a page cannot point its own name here', async () => {
  await using named = await RestWorld.open({ hosts: ['localhost', '127.0.0.1', '[::1]'] });
  for (const host of ['localhost:7070', 'LOCALHOST', '127.0.0.1:80', '[::1]:7070']) {
    expect((await named.get('/v1/spaces', { host })).status).toBe(200);
  }
  for (const host of ['evil.example:7070', 'localhost.evil.example', '127.0.0.1.evil.example', 'a b']) {
    expect(await named.get('/v1/spaces', { host, origin: `http://${host}` })).toMatchObject({ status: 403 });
    expect(await named.get('/v1/spaces', { host })).toMatchObject(bad(403, 'forbidden', 'Host'));
  }
});

describe('with a token', () => {
  let closed: RestWorld;
  beforeAll(async () => {
    closed = await RestWorld.open({ authenticator: sharedToken('s3cret') });
  });
  afterAll(() => closed[Symbol.asyncDispose]());

  test.each([
    ['none', {}],
    ['another one', { authorization: 'Bearer wrong' }],
    ['another scheme', { authorization: 'Basic s3cret' }],
    ['no scheme', { authorization: 's3cret' }],
    ['an empty one', { authorization: 'Bearer ' }],
    ['more than one', { authorization: 'Bearer s3cret s3cret' }],
  ])('%s is 401, before the body is looked at', async (_what, headers) => {
    for (const answer of [
      await closed.post('out', { nonsense: 1 }, headers),
      await closed.get('/v1/spaces', headers),
      await closed.get('http://somewhere/v1/spaces', headers),
      await closed.get('/%761/spaces', headers),
      await closed.ask({ method: 'HEAD', url: '/v1/spaces', headers }),
    ]) {
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    }
  });

  test.each(['Bearer', 'bearer', 'BEARER'])('%s TOKEN is let in', async scheme => {
    expect((await closed.get('/v1/spaces', { authorization: `${scheme} s3cret` })).status).toBe(200);
  });

  test.each(['/healthz', '/readyz', '/metrics', '/openapi.json', '/v1/openapi.json', '/docs', '/v1/docs'])(
    '%s is open',
    async path => expect((await closed.get(path)).status).toBe(200),
  );
});
