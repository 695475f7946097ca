import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../shared/limits.js';
import { checkName, encodeTuple, utf8Bytes } from '../../shared/tuple.js';
import { anyTuple } from './arbitraries.js';
import { faultOf, invalidAt, tooLargeAt } from './fault.js';

const fault = (value: unknown) => faultOf(() => encodeTuple(value));
const nested = (levels: number): unknown[] => (levels === 1 ? [] : [nested(levels - 1)]);
const nestedObjects = (levels: number): object => (levels === 1 ? {} : { a: nestedObjects(levels - 1) });
/** A tuple of one text, as many bytes long as asked for. `unit` is the text that fills it. */
const sized = (bytes: number, unit: string) => {
  const room = bytes - '[""]'.length;
  const units = Math.floor(room / utf8Bytes(unit));
  return [unit.repeat(units) + 'x'.repeat(room - units * utf8Bytes(unit))];
};

test('what is accepted comes back as it went', () => {
  fc.assert(
    fc.property(anyTuple, tuple => {
      expect(encodeTuple(tuple)).toBe(JSON.stringify(tuple));
    }),
  );
});

test.each<[string, unknown[]]>([
  ['one field', [null]],
  ['64 fields', Array(64).fill(0)],
  ['depth 32', nested(32)],
  ['depth 32 in objects', [nestedObjects(31)]],
  ['extreme numbers', [0, -0, 2 ** 53, 1.7976931348623157e308, 5e-324]],
  ['a pair of surrogates', ['\ud83d\ude00', { '\ud83d\ude00': 1 }]],
  ['NUL, and what JSON escapes', ['\0', '"\\\u2028\u007f']],
  ['keys that look like formals or built-ins', [{ $any: true, constructor: 1, toString: 2, '': 3 }]],
  ['an object without a prototype', [Object.assign(Object.create(null), { a: 1 })]],
])('%s is a tuple', (_, tuple) => {
  expect(JSON.parse(encodeTuple(tuple))).toEqual(JSON.parse(JSON.stringify(tuple)));
});

test('-0 is stored as 0', () => expect(encodeTuple([-0, [-0]])).toBe('[0,[0]]'));

class Point {
  x = 1;
}

test.each<[string, unknown, string]>([
  ['no array', 'ab', 'tuple'],
  ['an array-like', { 0: 'a', length: 1 }, 'tuple'],
  ['undefined for a tuple', undefined, 'tuple'],
  ['no field', [], 'tuple'],
  ['65 fields', Array(65).fill(0), 'tuple'],
  ['depth 33', nested(33), `tuple${'[0]'.repeat(32)}`],
  ['depth 33 in objects', [nestedObjects(32)], `tuple[0]${'.a'.repeat(31)}`],
  ['undefined', [1, undefined], 'tuple[1]'],
  ['undefined in an object', [{ a: undefined }], 'tuple[0].a'],
  ['a hole', Object.assign([1], { 2: 3 }), 'tuple[1]'],
  ['a hole inside', [[Object.assign([], { length: 1 })]], 'tuple[0][0][0]'],
  ['NaN', [{ a: [Number.NaN] }], 'tuple[0].a[0]'],
  ['Infinity', [Number.POSITIVE_INFINITY], 'tuple[0]'],
  ['-Infinity', [Number.NEGATIVE_INFINITY], 'tuple[0]'],
  ['a function', [() => 1], 'tuple[0]'],
  ['a toJSON', [{ a: { toJSON: () => 1 } }], 'tuple[0].a.toJSON'],
  ['a symbol', [Symbol('a')], 'tuple[0]'],
  ['a BigInt', [1n], 'tuple[0]'],
  ['a Date', ['at', new Date(0)], 'tuple[1]'],
  ['a class instance', [new Point()], 'tuple[0]'],
  ['a Map', [new Map()], 'tuple[0]'],
  ['bytes', [new Uint8Array(1)], 'tuple[0]'],
  ['a boxed text', [new String('a')], 'tuple[0]'],
  ['a lone high surrogate', ['\ud800'], 'tuple[0]'],
  ['a lone low surrogate', ['a\udc00b'], 'tuple[0]'],
  ['surrogates the wrong way round', ['\ude00\ud83d'], 'tuple[0]'],
  ['a lone surrogate in a key', [{ a: { '\ud800': 1 } }], 'tuple[0].a'],
  ['the key __proto__', JSON.parse('[{"__proto__": {"a": 1}}]'), 'tuple[0]'],
  ['the key __proto__ inside', JSON.parse('[{"a": [{"__proto__": 1}]}]'), 'tuple[0].a[0]'],
])('%s is refused', (_, value, field) => {
  expect(fault(value)).toEqual(invalidAt(field));
});

test('a circle is refused', () => {
  const circle: unknown[] = [];
  circle.push(circle);
  expect(fault(circle)).toMatchObject({ code: 'invalid' });
});

describe('the bound counts bytes of UTF-8', () => {
  test.each(['x', 'é', '€', '😀', '\\'])('filled with %s', unit => {
    const escapes = JSON.stringify(unit).length - 2 - unit.length;
    const text = (bytes: number) => (escapes > 0 ? [unit.repeat((bytes - 4) / 2)] : sized(bytes, unit));
    expect(utf8Bytes(encodeTuple(text(limits.tupleBytes)))).toBe(limits.tupleBytes);
    expect(fault(text(limits.tupleBytes + 2))).toEqual(tooLargeAt('tuple'));
    if (escapes === 0) expect(fault(text(limits.tupleBytes + 1))).toEqual(tooLargeAt('tuple'));
  });
});

test('a fault is found under the name that was given', () => {
  expect(faultOf(() => encodeTuple([Number.NaN], 'tuples[3]'))).toEqual(invalidAt('tuples[3][0]'));
});

describe('names', () => {
  test.each(['a', 'A-Z_0.9', '-', '_', '0', 'a.', 'a..b', '__proto__', 'x'.repeat(128)])('%s', name => {
    expect(faultOf(() => checkName(name, 'space'))).toBe('no fault');
  });
  const noNames = ['', '.', '.a', 'a b', 'a/b', 'a\n', '\na', 'é', 'a\0', 'a:b', 'x'.repeat(129)];
  test.each([...noNames, undefined, null, 1, ['a'], { toString: () => 'a' }])('not %j', name => {
    expect(faultOf(() => checkName(name, 'space'))).toEqual(invalidAt('space'));
  });
});
