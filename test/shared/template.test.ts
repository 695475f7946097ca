import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../shared/json.js';
import { limits } from '../../shared/limits.js';
import { matches, parseTemplate } from '../../shared/template.js';
import { anyTuple, formalNames, meeting, wildTemplate } from './arbitraries.js';
import { faultOf, invalidAt, tooLargeAt } from './fault.js';
import { naiveMatch } from './naive-match.js';

const fits = (template: unknown, tuple: readonly Json[]) => matches(parseTemplate(template), tuple);
const many = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);
const nested = (levels: number): Json => (levels === 1 ? [] : [nested(levels - 1)]);

describe('matches agrees with the naive definition', () => {
  test('on templates made for tuples, where every formal says both yes and no', () => {
    const verdicts = new Map<string, number>();
    const note = (what: string) => verdicts.set(what, (verdicts.get(what) ?? 0) + 1);
    const meet = ({ template, tuple }: { template: Json; tuple: readonly Json[] }) => {
      const verdict = fits(template, tuple);
      expect(verdict).toBe(naiveMatch(template, tuple));
      note(`${verdict}`);
      const text = JSON.stringify(template);
      for (const formal of formalNames) if (text.includes(`"${formal}":`)) note(`${formal} ${verdict}`);
    };
    fc.assert(fc.property(meeting, meet), { numRuns: 4_000 });
    for (const verdict of [true, false]) {
      expect(verdicts.get(`${verdict}`)).toBeGreaterThan(800);
      for (const formal of formalNames)
        expect(verdicts.get(`${formal} ${verdict}`), formal).toBeGreaterThan(15);
    }
  });

  test('on whatever parseTemplate lets through, and all else is invalid', () => {
    let good = 0;
    fc.assert(
      fc.property(wildTemplate, anyTuple, (template, tuple) => {
        const fault = faultOf(() => parseTemplate(template));
        if (fault === 'no fault') {
          good++;
          expect(fits(template, tuple)).toBe(naiveMatch(template, tuple));
        } else {
          expect(fault).toEqual(invalidAt(expect.stringMatching(/^template/)));
        }
      }),
      { numRuns: 3_000 },
    );
    expect(good).toBeGreaterThan(300);
  });
});

test.each<{ pattern: Json; yes: Json[]; no: Json[] }>([
  { pattern: 'a', yes: ['a'], no: ['A', 'a ', 'a\0', ['a'], null] },
  { pattern: 1, yes: [1, 1.0], no: ['1', true, 1.5, [1]] },
  { pattern: 0, yes: [0, -0], no: [5e-324, false, '', null] },
  { pattern: -0, yes: [0, -0], no: [-5e-324] },
  { pattern: null, yes: [null], no: [0, '', false, {}, []] },
  { pattern: '\u00e9', yes: ['é'], no: ['e\u0301'] },
  { pattern: {}, yes: [{}], no: [{ a: 1 }, [], null] },
  { pattern: [], yes: [[]], no: [[null], {}] },
  { pattern: [1, 2], yes: [[1, 2]], no: [[2, 1], [1], [1, 2, 3], { 0: 1, 1: 2 }] },
  {
    pattern: { a: 1, b: [{}] },
    yes: [{ b: [{}], a: 1 }],
    no: [{ a: 1 }, { a: 1, b: [{}], c: 1 }, { a: 1, c: [{}] }],
  },
  { pattern: { toString: 1 }, yes: [{ toString: 1 }], no: [{}, { valueOf: 1 }] },
  { pattern: { $any: true }, yes: [null, 0, '', [], {}], no: [] },
  { pattern: { $type: 'string' }, yes: ['', 'a'], no: [1, null, ['a']] },
  { pattern: { $type: 'number' }, yes: [0, -1.5, 1e308], no: ['1', null, true] },
  { pattern: { $type: 'integer' }, yes: [0, -1, 1.0, 2 ** 53, 1e308], no: [1.5, 5e-324, '1'] },
  { pattern: { $type: 'boolean' }, yes: [true, false], no: [0, null, 'true'] },
  { pattern: { $type: 'null' }, yes: [null], no: [false, 0, {}, []] },
  { pattern: { $type: 'array' }, yes: [[], [1]], no: [{}, null, 'a'] },
  { pattern: { $type: 'object' }, yes: [{}, { a: 1 }], no: [[], null, 'a'] },
  { pattern: { $gt: 1 }, yes: [2, 1.5, 1e308], no: [1, 0, '2', null, [2]] },
  { pattern: { $gte: 1 }, yes: [1, 2], no: [0.5, '1', true] },
  { pattern: { $lt: 0 }, yes: [-1, -5e-324], no: [0, -0, null, ''] },
  { pattern: { $lte: 0 }, yes: [0, -0, -1e308], no: [5e-324, null] },
  { pattern: { $gt: -1e308, $lt: 1e308 }, yes: [0, 1], no: [1e308, -1e308, '0'] },
  { pattern: { $gte: 2, $lte: 1 }, yes: [], no: [1, 1.5, 2] },
  { pattern: { $gt: 1, $gte: 1 }, yes: [2], no: [1] },
  { pattern: { $gt: '' }, yes: ['\0', 'a'], no: ['', 1, null] },
  { pattern: { $gt: 'a' }, yes: ['b', 'a\0', 'aa'], no: ['a', 'A', 2] },
  { pattern: { $gt: '\uffff' }, yes: ['\u{10000}', '😀', '\uffff\0'], no: ['\uffff', '\ue000', 'z'] },
  { pattern: { $gte: 'b', $lt: 'c' }, yes: ['b', 'bz', 'b\u{10ffff}'], no: ['a', 'c', 'c\0'] },
  { pattern: { $eq: { $any: true } }, yes: [{ $any: true }], no: [{}, 1] },
  { pattern: { $eq: [{ $x: 1 }] }, yes: [[{ $x: 1 }]], no: [[{}], []] },
  { pattern: { $ne: null }, yes: [0, '', {}, []], no: [null] },
  { pattern: { $ne: { $any: true } }, yes: [1, {}], no: [{ $any: true }] },
  { pattern: { $oneOf: [1, 'a', { b: [] }] }, yes: [1, 'a', { b: [] }], no: [2, 'b', { b: {} }, [1]] },
  { pattern: { $oneOf: [{ $any: true }] }, yes: [{ $any: true }], no: [1] },
  { pattern: { $prefix: 'ab' }, yes: ['ab', 'abc'], no: ['a', 'xab', 'AB', ['ab'], null] },
  { pattern: { $prefix: '' }, yes: ['', 'a'], no: [1, null, []] },
  { pattern: { $prefix: 'x'.repeat(300) }, yes: ['x'.repeat(301)], no: ['x'.repeat(299)] },
  { pattern: { $has: {} }, yes: [{}, { a: 1 }], no: [[], null, 'a'] },
  {
    pattern: { $has: { a: { $gt: 1 } } },
    yes: [{ a: 2 }, { a: 2, b: 1 }],
    no: [{ a: 1 }, { b: 2 }, {}, [2]],
  },
  { pattern: { $has: { $price: 1 } }, yes: [{ $price: 1, a: 1 }], no: [{ price: 1 }] },
  { pattern: { $has: { toString: { $any: true } } }, yes: [{ toString: 1 }], no: [{}] },
  { pattern: { $not: { $type: 'string' } }, yes: [1, null], no: ['a'] },
  { pattern: { $not: { a: 1 } }, yes: [{}, { a: 2 }, { a: 1, b: 1 }], no: [{ a: 1 }] },
  { pattern: { $not: { $not: 1 } }, yes: [1], no: [2] },
  { pattern: { $or: [1, { $prefix: 'a' }] }, yes: [1, 'ab'], no: [2, 'b'] },
  { pattern: { a: { $type: 'number' } }, yes: [{ a: 1 }], no: [{ a: '1' }, { a: 1, b: 1 }, {}] },
  {
    pattern: ['a', [{ $any: true }, { b: { $gt: 0 } }]],
    yes: [['a', [null, { b: 1 }]]],
    no: [['a', [{ b: 1 }]], ['a']],
  },
  { pattern: { $schema: true }, yes: [null, {}], no: [] },
  { pattern: { $schema: false }, yes: [], no: [null, {}] },
  {
    pattern: { $schema: { type: ['string', 'null'], minLength: 2 } },
    yes: ['ab', '😀😀', null],
    no: ['😀', 1],
  },
  { pattern: { $schema: { required: ['toString'] } }, yes: [{ toString: 1 }, 1], no: [{}] },
  {
    pattern: { $schema: { properties: { constructor: { type: 'null' } } } },
    yes: [{}],
    no: [{ constructor: 1 }],
  },
  {
    pattern: { $schema: { required: [''], dependentRequired: { toString: ['a'] } } },
    yes: [{ '': 1 }, { '': 1, toString: 1, a: 1 }],
    no: [{}, { '': 1, toString: 1 }],
  },
  { pattern: { $schema: { const: { valueOf: 1 } } }, yes: [{ valueOf: 1 }], no: [{}, { valueOf: 2 }] },
  { pattern: { $schema: { enum: [{ constructor: {} }, 0] } }, yes: [{ constructor: {} }, -0], no: [{}, '0'] },
  {
    pattern: { $schema: { items: { $comment: 'digits', multipleOf: 0.5 } } },
    yes: [[1, 1.5], 'a'],
    no: [[0.7]],
  },
])('$pattern', ({ pattern, yes, no }) => {
  expect(yes.filter(value => !fits([pattern], [value]))).toEqual([]);
  expect(no.filter(value => fits([pattern], [value]))).toEqual([]);
});

test.each<{ template: Json; yes: Json[][]; no: Json[][] }>([
  { template: ['a', 1], yes: [['a', 1]], no: [['a'], ['a', 1, null], [1, 'a']] },
  { template: [{ $rest: true }], yes: [['a'], [1, 2, 3]], no: [] },
  { template: ['a', { $rest: true }], yes: [['a'], ['a', 1], many(64, 'a')], no: [['b'], ['b', 'a']] },
  { template: ['a', { $eq: { $rest: true } }], yes: [['a', { $rest: true }]], no: [['a'], ['a', 1]] },
  {
    template: { $anyOf: [['a'], [{ $gt: 1 }, { $rest: true }]] },
    yes: [['a'], [2], [2, 3]],
    no: [['a', 1], [1]],
  },
])('$template', ({ template, yes, no }) => {
  expect(yes.filter(tuple => !fits(template, tuple))).toEqual([]);
  expect(no.filter(tuple => fits(template, tuple))).toEqual([]);
});

describe('a bad template is refused at', () => {
  const notTemplates: [string, unknown][] = [
    ...['ab', 1, null, undefined, {}, [], { $rest: true }, { $any: true }].map(
      t => ['template', t] as [string, unknown],
    ),
    ['template', { $anyOf: [['a']], a: 1 }],
    ['template.$anyOf', { $anyOf: [] }],
    ['template.$anyOf', { $anyOf: 'a' }],
    ['template.$anyOf[0]', { $anyOf: ['a'] }],
    ['template.$anyOf[1]', { $anyOf: [['a'], []] }],
    ['template.$anyOf[0]', { $anyOf: [{ $anyOf: [['a']] }] }],
    ['template.$anyOf[0][1].a', { $anyOf: [[1, { a: { $odd: 1 } }]] }],
    ['template[1].$rest', ['a', { $rest: false }]],
    ['template[0].$rest', [{ $rest: true }, 'a']],
    ['template[0][0].$rest', [[{ $rest: true }]]],
    ['template[0]', [{ $rest: true, a: 1 }]],
  ];
  const notFormals: [string, unknown][] = [
    ['', { $odd: 1 }],
    ['', { $: 1 }],
    ['', { $anyOf: [['a']] }],
    ['', { $any: true, a: 1 }],
    ['', { a: 1, $odd: 1 }],
    ['', { $gt: 1, $type: 'number' }],
    ['', { $gt: 1, $prefix: 'a' }],
    ['', { $gt: 1, $lt: 'a' }],
    ['', { $gt: null }],
    ['', { $lte: [1] }],
    ['.a[1]', { a: [1, { $odd: 1 }] }],
    ['.$any', { $any: false }],
    ['.$any', { $any: 1 }],
    ['.$type', { $type: 'float' }],
    ['.$type', { $type: ['string'] }],
    ['.$oneOf', { $oneOf: [] }],
    ['.$oneOf', { $oneOf: 'ab' }],
    ['.$prefix', { $prefix: 1 }],
    ['.$has', { $has: ['a'] }],
    ['.$has', { $has: null }],
    ['.$has.a', { $has: { a: { $odd: 1 } } }],
    ['.$not', { $not: { $odd: 1 } }],
    ['.$or', { $or: [] }],
    ['.$or', { $or: {} }],
    ['.$or[1]', { $or: ['a', { $odd: 1 }] }],
  ];
  const notSchemas: [string, unknown][] = [
    ...[1, 'a', null, [], { type: 'float' }, { enum: [] }].map(s => ['', s] as [string, unknown]),
    ...['pattern', 'format', '$ref', '$id', '$dynamicRef', 'patternProperties', 'uniqueItems', 'odd'].map(
      keyword => [`.${keyword}`, { [keyword]: 'a' }] as [string, unknown],
    ),
    ['.items', { items: 5 }],
    ['.allOf', { allOf: {} }],
    ['.anyOf[1].pattern', { anyOf: [true, { pattern: 'a' }] }],
    ['.properties.a.not.pattern', { properties: { a: { not: { pattern: 'a' } } } }],
    ['.$defs.a.format', { $defs: { a: { format: 'email' } } }],
  ];
  const notJson: [string, unknown][] = [
    ['template[0]', [undefined]],
    ['template[1].a', [1, { a: Number.NaN }]],
    ['template[0].$gt', [{ $gt: Number.POSITIVE_INFINITY }]],
    ['template[0].$prefix', [{ $prefix: '\ud800' }]],
    ['template[0].$has', [{ $has: JSON.parse('{"__proto__": 1}') }]],
  ];
  test.each([
    ...notTemplates,
    ...notFormals.map(([at, pattern]) => [`template[1]${at}`, ['a', pattern]] as const),
    ...notSchemas.map(([at, $schema]) => [`template[0].$schema${at}`, [{ $schema }]] as const),
    ...notJson,
  ])('%s: %j', (field, template) => {
    expect(faultOf(() => parseTemplate(template))).toEqual(invalidAt(field));
  });

  test('the name that it was given', () => {
    expect(faultOf(() => parseTemplate([{ $odd: 1 }], 'unless'))).toEqual(invalidAt('unless[0]'));
  });
});

test.each<[string, number, string, (count: number) => Json]>([
  ['fields', 64, 'template', count => many(count, 1)],
  ['fields before $rest', 64, 'template', count => [...many(count, 1), { $rest: true }]],
  ['templates in $anyOf', 64, 'template.$anyOf', count => ({ $anyOf: many(count, [1]) })],
  ['patterns in $or', 64, 'template[0].$or', count => [{ $or: many(count, 1) }]],
  ['values in $oneOf', 1_000, 'template[0].$oneOf', count => [{ $oneOf: many(count, 1) }]],
  ['levels', 64, `template${'[0]'.repeat(64)}`, nested],
])('%s: %i may be, one more is refused', (_, most, field, template) => {
  expect(faultOf(() => parseTemplate(template(most)))).toBe('no fault');
  expect(faultOf(() => parseTemplate(template(most + 1)))).toEqual(invalidAt(field));
});

test.each<[string, number, string, (room: string) => Json]>([
  ['a template', limits.tupleBytes, 'template', room => [room]],
  ['a schema', limits.schemaBytes, 'template[0].$schema', title => [{ $schema: { title } }]],
])('%s has at most %i bytes', (_, most, field, template) => {
  const frame = field === 'template' ? '[""]' : '{"title":""}';
  const room = 'é'.repeat((most - frame.length) / 2);
  expect(faultOf(() => parseTemplate(template(room)))).toBe('no fault');
  expect(faultOf(() => parseTemplate(template(`${room}x`)))).toEqual(tooLargeAt(field));
});

test('equal templates have the same text', () => {
  const text = (template: Json) => parseTemplate(template).text;
  expect(text([{ a: 1.0, b: -0 }])).toBe(text([{ b: 0, a: 1 }]));
  expect(text([{ a: 1 }])).not.toBe(text([{ $has: { a: 1 } }]));
});

test.each<[string, unknown]>([
  [
    'patterns',
    [{ $or: Array.from({ length: 64 }, () => ({ $oneOf: Array.from({ length: 64 }, (_, n) => n) })) }],
  ],
  ['schemas', Array.from({ length: 17 }, () => ({ $schema: true }))],
])('a template that has more %s than a match may cost is too large', (_name, template) => {
  expect(() => parseTemplate(template)).toThrow(
    expect.objectContaining({ code: 'too_large', field: 'template' }),
  );
});

test('an object is told from one with few keys without counting its own', () => {
  const large = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`k${n}`, n]));
  const template = parseTemplate([{ $oneOf: Array.from({ length: 1_000 }, () => ({})) }]);
  // Counted each time, this would take minutes: the test would run into its time limit.
  for (let round = 0; round < 20; round++) expect(matches(template, [large])).toBe(false);
});
