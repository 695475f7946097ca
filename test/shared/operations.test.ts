import { describe, expect, test } from 'vitest';
import type { Json } from '../../shared/json.js';
import { limits } from '../../shared/limits.js';
import { argumentSchemas, isOp, type Op, parseRequest } from '../../shared/operations.js';
import { parseTemplate } from '../../shared/template.js';
import { faultOf, invalidAt, tooLargeAt } from './fault.js';

const request = (op: Op, values: unknown) => parseRequest(op, 'jobs', values);
const fault = (op: Op, values: unknown) => faultOf(() => request(op, values));
const tuple = ['a', 1];
const encoded = { tuple, text: '["a",1]' };
const template = parseTemplate(tuple);
const byField = { field: 63, dir: 'desc' };

test.each<[Op, object, object]>([
  ['out', { tuple }, { tuple: encoded }],
  ['out', { tuple, ttl: 1, delay: 0, unless: tuple }, { tuple: encoded, ttl: 1, delay: 0, unless: template }],
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

const notWhole = [-1, 0.5, '5', null, true, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53];
const odd: Record<string, unknown[]> = {
  timeout: [...notWhole, limits.durationMs + 1],
  delay: [...notWhole, limits.durationMs + 1],
  ttl: [...notWhole, 0, limits.durationMs + 1],
  limit: [...notWhole, 0, 1_001],
  after: notWhole,
  id: [0.5, null, true, [1], Number.POSITIVE_INFINITY],
  tuple: ['a', null, 1, [], {}],
  tuples: ['a', null, [], {}, Array(limits.outManyTuples + 1).fill(['a'])],
  template: ['a', null, 1, [], {}],
  unless: ['a', null, 1, [], {}],
  order: ['latest', null, 1, ['oldest']],
};

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
  watch: { template: tuple },
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

  const keys = Object.keys((argumentSchemas[op] as { properties: object }).properties);
  test.each(keys.filter(key => key in odd))('refuses an odd %s', key => {
    for (const value of odd[key]!) expect(fault(op, { ...least[op], [key]: value })).toEqual(invalidAt(key));
  });
});

test.each(ops.filter(op => op !== 'spaces'))('%s wants the name of a space', op => {
  for (const space of [undefined, null, '', '.a', 'a/b', 1])
    expect(faultOf(() => parseRequest(op, space, least[op]))).toEqual(invalidAt('space'));
});

test.each<[Json, string]>([
  [{}, 'order.field'],
  [{ dir: 'asc' }, 'order.field'],
  [{ field: 64 }, 'order.field'],
  [{ field: '0' }, 'order.field'],
  [{ field: 0, dir: 'up' }, 'order.dir'],
  [{ field: 0, direction: 'asc' }, 'order.direction'],
])('order %j is refused at %s', (order, field) => {
  for (const op of ['in', 'rd', 'take', 'read', 'explain'] as const)
    expect(fault(op, { template: tuple, order })).toEqual(invalidAt(field));
});

test.each<[Op, object, string]>([
  ['out', { tuple: ['a', Number.POSITIVE_INFINITY] }, 'tuple[1]'],
  ['out', { tuple, unless: [{ $odd: 1 }] }, 'unless[0]'],
  ['outMany', { tuples: tuple }, 'tuples[0]'],
  ['outMany', { tuples: [tuple, 'a'] }, 'tuples[1]'],
  ['outMany', { tuples: [tuple, []] }, 'tuples[1]'],
  ['outMany', { tuples: [tuple, ['\ud800']] }, 'tuples[1][0]'],
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
