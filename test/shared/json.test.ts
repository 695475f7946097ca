import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  canonicalJson,
  compareJson,
  compareText,
  equalJson,
  type Json,
  parseJson,
  survivesDouble,
} from '../../shared/json.js';
import { anyJson } from './arbitraries.js';
import { comparePoints, points, same } from './naive-match.js';

const sign = (order: number) => (order > 0 ? 1 : order < 0 ? -1 : 0);
const words = (text: string) => text.trim().split(/\s+/);

/** A decimal as a fraction of a power of ten. */
function exactly(token: string): { digits: bigint; exponent: number } {
  const [number = '', power = '0'] = token.split('e');
  const [whole = '', fraction = ''] = number.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length };
}

function sameDecimal(a: string, b: string): boolean {
  const [left, right] = [exactly(a), exactly(b)];
  const least = Math.min(left.exponent, right.exponent);
  const scaled = (it: typeof left) => it.digits * 10n ** BigInt(it.exponent - least);
  return scaled(left) === scaled(right);
}

describe('a number survives where its double prints as the same decimal', () => {
  test.each(
    words(`0 -0 0.0 0e400 1 1.0 -1.50 100 1e2 1E+2 10e-1 0.1 0.30000000000000004 0.000001 1e-7 5e-324
      9007199254740992 123456789012345680 1e21 1e308 1.7976931348623157e308 1e0000000000000000000001
      1${'0'.repeat(100)} 0.${'0'.repeat(100)}1`),
  )('%s', token => {
    expect(survivesDouble(token)).toBe(true);
    expect(parseJson(`[${token}]`)).toEqual([Number(token)]);
  });

  test.each(
    words(`9007199254740993 -9007199254740993 9007199254740993.0e1 123456789012345678 1152921504606846976
      0.1000000000000000055 1.0000000000000000000001 1e309 1e400 -1e400 4e-324 1e-400 1${'0'.repeat(400)}`),
  )('not %s', token => {
    expect(survivesDouble(token)).toBe(false);
    expect(parseJson(`{"a":[ ${token} ]}`)).toEqual({ a: [Number.POSITIVE_INFINITY] });
  });

  test('as exact arithmetic has it', () => {
    const digits = (minLength: number) =>
      fc.string({ unit: fc.constantFrom(...words('0 0 1 2 3 4 5 6 7 8 9 9 9')), minLength, maxLength: 19 });
    const token = fc
      .tuple(fc.constantFrom('', '-'), digits(1), digits(0), fc.option(fc.integer({ min: -330, max: 330 })))
      .map(([minus, whole, fraction, power]) => {
        const number = whole.replace(/^0+(?=\d)/, '') + (fraction && `.${fraction}`);
        return `${minus}${number}${power === null ? '' : `e${power}`}`;
      });
    fc.assert(
      fc.property(token, token => {
        const double = Number(token);
        const survives = Number.isFinite(double) && sameDecimal(token, String(double));
        expect(survivesDouble(token)).toBe(survives);
        expect(parseJson(token)).toBe(survives ? double : Number.POSITIVE_INFINITY);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('parseJson', () => {
  test('gives back whatever JSON.stringify wrote', () => {
    const anyValue = fc.oneof(anyJson, fc.jsonValue(), fc.double({ noNaN: true }));
    fc.assert(
      fc.property(anyValue, fc.nat(2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 1_000 },
    );
  });

  test('leaves numbers in texts and keys alone', () => {
    const unit = fc.constantFrom(...words('" \\ 1 - . , : é 12345678901234567890 1e400'), '\n');
    fc.assert(
      fc.property(fc.string({ unit }), fc.string({ unit }), (key, text) => {
        const value = [{ [key]: text }, 1e300];
        expect(parseJson(JSON.stringify(value))).toEqual(value);
      }),
      { numRuns: 1_000 },
    );
  });

  test('marks only the lossy one of several numbers', () => {
    const text = '{"9007199254740993": [0.1, 9007199254740993, "9007199254740993\\"", 1e308, -1]}';
    const marked = [0.1, Number.POSITIVE_INFINITY, '9007199254740993"', 1e308, -1];
    expect(parseJson(text)).toEqual({ '9007199254740993': marked });
  });

  test('refuses what JSON.parse refuses', () => {
    const unit = fc.constantFrom(...words('[ ] { } , : " \\ - 0 . e 9007199254740993'));
    const parses = (parse: (text: string) => unknown, text: string) => {
      try {
        parse(text);
        return true;
      } catch (error) {
        expect(error).toBeInstanceOf(SyntaxError);
        return false;
      }
    };
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 6 }), text => {
        expect(parses(parseJson, text)).toBe(parses(JSON.parse, text));
      }),
      { numRuns: 2_000 },
    );
  });

  test('takes linear time for a text that is never closed, and for a run of zeros', () => {
    expect(() => parseJson(`[1e300, "${'\\"'.repeat(1_000_000)}`)).toThrow(SyntaxError);
    expect(parseJson(`[1.${'0'.repeat(1_000_000)}1]`)).toEqual([Number.POSITIVE_INFINITY]);
  });
});

describe('equality and order', () => {
  /** Equal, but written otherwise. */
  const rewritten = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(rewritten);
    if (typeof value === 'object' && value !== null) {
      const members = Object.entries(value).map(([key, member]) => [key, rewritten(member)] as const);
      return Object.fromEntries(members.reverse());
    }
    return value === 0 ? -0 : value;
  };
  const pair = fc.oneof(
    fc.tuple(anyJson, anyJson),
    anyJson.map(value => [value, rewritten(value)] as const),
  );

  test('equalJson, canonicalJson and compareJson have the same equals', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const equal = same(a, b);
        expect(equalJson(a, b)).toBe(equal);
        expect(canonicalJson(a) === canonicalJson(b)).toBe(equal);
        expect(compareJson(a, b) === 0).toBe(equal);
      }),
      { numRuns: 2_000 },
    );
  });

  test('canonicalJson is JSON of the same value', () => {
    fc.assert(fc.property(anyJson, value => equalJson(JSON.parse(canonicalJson(value)), value)));
  });

  test.each<[Json, Json]>([
    [{ a: 1 }, { b: 1 }],
    [{ toString: 1 }, {}],
    [JSON.parse('{"__proto__": {}}'), { a: 1 }],
    [
      { a: 1, b: 2 },
      { a: 1, toString: 2 },
    ],
    [[], {}],
    [[null], []],
    [{ 0: 'a' }, ['a']],
    [null, {}],
    [0, false],
    ['1', 1],
    ['', null],
  ])('%j is not %j', (a, b) => {
    expect([equalJson(a, b), equalJson(b, a)]).toEqual([false, false]);
  });

  test('compareJson is a total order', () => {
    fc.assert(
      fc.property(anyJson, anyJson, anyJson, (a, b, c) => {
        expect(sign(compareJson(a, b)) + sign(compareJson(b, a))).toBe(0);
        const [first, second, third] = [a, b, c].sort(compareJson) as [Json, Json, Json];
        expect(compareJson(first, second)).toBeLessThanOrEqual(0);
        expect(compareJson(second, third)).toBeLessThanOrEqual(0);
        expect(compareJson(first, third)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 2_000 },
    );
  });

  test('types first, then values', () => {
    const numbers = [-1e308, -1, -5e-324, 0, 5e-324, 1, 1e308];
    const texts = ['', '\0', 'a', 'aa', 'b', '\ud7ff', '\uffff', '\u{10000}', '\u{10ffff}'];
    const objects = [{ a: 1 }, { a: 2 }, { b: 1 }, {}];
    const ordered: Json[] = [null, false, true, ...numbers, ...texts, ['a'], [0], [1], [], ...objects];
    expect([...ordered].reverse().sort(compareJson)).toEqual(ordered);
  });

  test('texts are ordered by code points, and so by bytes of UTF-8', () => {
    const edges = ['\0', 'a', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10001}', '\u{10ffff}'];
    const anyPoint = fc.nat(0x10ffff - 0x800).map(n => String.fromCodePoint(n < 0xd800 ? n : n + 0x800));
    const text = fc.string({ unit: fc.oneof(fc.constantFrom(...edges), anyPoint), maxLength: 4 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const order = sign(compareText(a, b));
        expect(order).toBe(sign(comparePoints(points(a), points(b))));
        expect(order).toBe(sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
      }),
      { numRuns: 2_000 },
    );
  });
});
