import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { limits } from '../../shared/limits.js';
import { clientSchemas, parseClientMessage, protocolVersion } from '../../shared/messages.js';
import { argumentSchemas, isOp, type Op, parseRequest } from '../../shared/operations.js';
import { parseTemplate } from '../../shared/template.js';
import { faultOf, invalidAt, tooLargeAt } from './fault.js';

/**
 * What the wire looked like when this was last looked at. Where it no longer holds, the wire has changed: that means a new
 * protocol version or, before the first release, a new line in the history of docs/protocol.md. Then record the new hash here.
 */
const recorded = {
  protocolVersion: 1,
  sha256: '',
};

test('the schemas are those of the recorded protocol version', () => {
  const sha256 = createHash('sha256')
    .update(JSON.stringify([clientSchemas, argumentSchemas]))
    .digest('hex');
  expect({ protocolVersion, sha256 }).toEqual(recorded);
});

describe('messages of a client', () => {
  const session = { id: 'a', secret: 'b', receipt: 0 };

  test.each([
    { hello: 1 },
    { hello: 1, token: 'secret' },
    { hello: 1, token: 'secret', session },
    { op: 'out', n: 1, space: 'jobs', tuple: ['a'] },
    { op: 'unknown operations fail alone', n: Number.MAX_SAFE_INTEGER },
    { abandon: 1 },
    { receipt: 0 },
    { pong: 7 },
  ])('%j', message => {
    expect(parseClientMessage(message)).toBe(message);
  });

  test.each<[unknown, string]>([
    ...[null, undefined, 'hello', 1, [], [{ hello: 1 }], {}, { n: 1 }, { welcome: 1 }, { toString: 1 }].map(
      message => [message, 'message'] as [unknown, string],
    ),
    [{ hello: '1' }, 'hello'],
    [{ hello: -1 }, 'hello'],
    [{ hello: 1.5 }, 'hello'],
    [{ hello: 2 ** 53 }, 'hello'],
    [{ hello: Number.POSITIVE_INFINITY }, 'hello'],
    [{ hello: 1, tokens: 'a' }, 'tokens'],
    [{ hello: 1, token: 5 }, 'token'],
    [{ hello: 1, token: 'x'.repeat(4097) }, 'token'],
    [{ hello: 1, session: null }, 'session'],
    [{ hello: 1, session: { id: 'a', receipt: 0 } }, 'session.secret'],
    [{ hello: 1, session: { ...session, receipt: -1 } }, 'session.receipt'],
    [{ hello: 1, session: { ...session, epoch: 1 } }, 'session.epoch'],
    [{ abandon: 1, why: 'late' }, 'why'],
    [{ abandon: null }, 'abandon'],
    [{ receipt: 0.5 }, 'receipt'],
    [{ pong: 'a' }, 'pong'],
    [{ op: 'out' }, 'n'],
    [{ op: 'out', n: 0 }, 'n'],
    [{ op: 'out', n: 1.5 }, 'n'],
    [{ op: 'out', n: '1' }, 'n'],
    [{ op: 'out', n: 2 ** 53 }, 'n'],
  ])('not %j', (message, field) => {
    expect(faultOf(() => parseClientMessage(message))).toEqual(invalidAt(field));
  });
});

describe('requests', () => {
  const request = (op: Op, values: unknown) => parseRequest(op, 'jobs', values);
  const fault = (op: Op, values: unknown) => faultOf(() => request(op, values));
  const tuple = ['a', 1];
  const encoded = { tuple, text: '["a",1]' };
  const template = parseTemplate(tuple);
  const byField = { field: 63, dir: 'desc' };

  test.each<[Op, object, object]>([
    ['out', { tuple }, { tuple: encoded }],
    [
      'out',
      { tuple, ttl: 1, delay: 0, unless: tuple },
      { tuple: encoded, ttl: 1, delay: 0, unless: template },
    ],
    ['outMany', { tuples: [tuple, tuple] }, { tuples: [encoded, encoded] }],
    ['outMany', { tuples: [tuple], ttl: 5, delay: 9 }, { tuples: [encoded], ttl: 5, delay: 9 }],
    ['in', { template: tuple }, { template, order: 'oldest' }],
    ['in', { template: tuple, timeout: 0, order: 'newest' }, { template, timeout: 0, order: 'newest' }],
    ['rd', { template: tuple, order: { field: 0 } }, { template, order: { field: 0, dir: 'asc' } }],
    [
      'rd',
      { template: tuple, timeout: limits.durationMs },
      { template, timeout: limits.durationMs, order: 'oldest' },
    ],
    ['take', { template: tuple }, { template, timeout: 0, order: 'oldest' }],
    ['take', { template: tuple, timeout: 5, order: byField }, { template, timeout: 5, order: byField }],
    ['read', { template: tuple }, { template, timeout: 0, order: 'oldest' }],
    [
      'read',
      { template: { $anyOf: [tuple] } },
      { template: parseTemplate({ $anyOf: [tuple] }), timeout: 0, order: 'oldest' },
    ],
    ['takeMany', { template: tuple }, { template, limit: 100, timeout: 0 }],
    ['takeMany', { template: tuple, limit: 1_000, timeout: 5 }, { template, limit: 1_000, timeout: 5 }],
    ['scan', { template: tuple }, { template, limit: 100, after: 0 }],
    ['scan', { template: tuple, limit: 1, after: 7 }, { template, limit: 1, after: 7 }],
    ['count', { template: tuple }, { template }],
    ['explain', { template: tuple, order: 'newest' }, { template, order: 'newest' }],
    ['renew', { id: 7, ttl: 1 }, { id: 7, ttl: 1 }],
    ['cancel', { id: 'a' }, { id: 'a' }],
    ['space', {}, {}],
  ])('%s %j', (op, values, expected) => {
    expect(request(op, values)).toEqual({ op, space: 'jobs', ...expected });
  });

  test('spaces needs no space', () => {
    expect(parseRequest('spaces', undefined, {})).toEqual({ op: 'spaces' });
  });

  /** The least that each operation is content with. */
  const least: Record<Op, Record<string, unknown>> = {
    out: { tuple },
    outMany: { tuples: [tuple] },
    in: { template: tuple },
    rd: { template: tuple },
    take: { template: tuple },
    read: { template: tuple },
    takeMany: { template: tuple },
    scan: { template: tuple },
    count: { template: tuple },
    explain: { template: tuple },
    renew: { id: 1, ttl: 1 },
    cancel: { id: 1 },
    space: {},
    spaces: {},
  };
  const ops = Object.keys(least) as Op[];

  test('every operation is in the table above', () =>
    expect(Object.keys(argumentSchemas).sort()).toEqual([...ops].sort()));

  describe.each(ops)('%s', op => {
    test('is content with the least', () => expect(fault(op, least[op])).toBe('no fault'));

    test('names a key that is missing', () => {
      for (const key of Object.keys(least[op])) {
        const { [key]: _, ...others } = least[op];
        expect(fault(op, others)).toEqual(invalidAt(key));
      }
    });

    test('names a key that is unknown', () => {
      for (const key of ['txns', 'n', 'toString'])
        expect(fault(op, { ...least[op], [key]: 1 })).toEqual(invalidAt(key));
    });

    test('wants an object', () => {
      for (const body of [undefined, null, [], 'a', 1]) expect(fault(op, body)).toEqual(invalidAt('body'));
    });

    test.skipIf(op === 'spaces')('wants the name of a space', () => {
      for (const space of [undefined, null, '', '.a', 'a/b', 1])
        expect(faultOf(() => parseRequest(op, space, least[op]))).toEqual(invalidAt('space'));
    });

    const { properties } = argumentSchemas[op] as { properties: object };
    const has = (key: string) => Object.hasOwn(properties, key);
    const refuses = (key: string, values: unknown[]) => {
      for (const value of values) expect(fault(op, { ...least[op], [key]: value })).toEqual(invalidAt(key));
    };
    const notWhole = [-1, 0.5, '5', null, true, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53];

    test.runIf(has('timeout'))('refuses odd timeouts', () =>
      refuses('timeout', [...notWhole, limits.durationMs + 1]),
    );
    test.runIf(has('delay'))('refuses odd delays', () =>
      refuses('delay', [...notWhole, limits.durationMs + 1]),
    );
    test.runIf(has('ttl'))('refuses odd ttls', () => refuses('ttl', [...notWhole, 0, limits.durationMs + 1]));
    test.runIf(has('limit'))('refuses odd limits', () => refuses('limit', [...notWhole, 0, 1_001]));
    test.runIf(has('after'))('refuses odd cursors', () => refuses('after', notWhole));
    test.runIf(has('id'))('refuses odd ids', () =>
      refuses('id', [0.5, null, true, [1], Number.POSITIVE_INFINITY]),
    );
    test.runIf(has('template'))('refuses odd templates', () => refuses('template', ['a', null, 1, [], {}]));

    test.runIf(has('order'))('names what is wrong in an order', () => {
      refuses('order', ['latest', null, 1, ['oldest']]);
      const at = (order: object) => fault(op, { ...least[op], order });
      expect(at({})).toEqual(invalidAt('order.field'));
      expect(at({ dir: 'asc' })).toEqual(invalidAt('order.field'));
      expect(at({ field: 64 })).toEqual(invalidAt('order.field'));
      expect(at({ field: '0' })).toEqual(invalidAt('order.field'));
      expect(at({ field: 0, dir: 'up' })).toEqual(invalidAt('order.dir'));
      expect(at({ field: 0, direction: 'asc' })).toEqual(invalidAt('order.direction'));
    });
  });

  test.each<[Op, object, string]>([
    ['out', { tuple: 'a' }, 'tuple'],
    ['out', { tuple: [] }, 'tuple'],
    ['out', { tuple: ['a', Number.POSITIVE_INFINITY] }, 'tuple[1]'],
    ['out', { tuple, unless: [{ $odd: 1 }] }, 'unless[0]'],
    ['out', { tuple, unless: null }, 'unless'],
    ['outMany', { tuples: [] }, 'tuples'],
    ['outMany', { tuples: tuple }, 'tuples[0]'],
    ['outMany', { tuples: [tuple, 'a'] }, 'tuples[1]'],
    ['outMany', { tuples: [tuple, []] }, 'tuples[1]'],
    ['outMany', { tuples: [tuple, ['\ud800']] }, 'tuples[1][0]'],
    ['outMany', { tuples: Array(limits.outManyTuples + 1).fill(tuple) }, 'tuples'],
    ['take', { template: ['a', { $type: 'float' }] }, 'template[1].$type'],
    ['count', { template: { $anyOf: [] } }, 'template.$anyOf'],
  ])('%s %j is refused at %s', (op, values, field) => {
    expect(fault(op, values)).toEqual(invalidAt(field));
  });

  test('a tuple or template over its bound is too large', () => {
    const large = ['x'.repeat(limits.tupleBytes)];
    expect(fault('out', { tuple: large })).toEqual(tooLargeAt('tuple'));
    expect(fault('outMany', { tuples: [tuple, large] })).toEqual(tooLargeAt('tuples[1]'));
    expect(fault('take', { template: large })).toEqual(tooLargeAt('template'));
    expect(fault('out', { tuple, unless: large })).toEqual(tooLargeAt('unless'));
  });

  test('isOp knows the operations, and not what every object has', () => {
    expect(ops.every(isOp)).toBe(true);
    expect(['toString', '__proto__', 'Out', '', null, undefined, ['out']].some(isOp)).toBe(false);
  });
});
