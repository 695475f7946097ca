/**
 * Random tuples that collide often, and templates that are made from tuples by putting formals in place of fields. The values are few,
 * and many of them sit where an encoding goes wrong.
 */
import fc from 'fast-check';
import { isObject, type Json, type JsonObject, jsonType } from '../../shared/json.js';
import type { Order } from '../../shared/operations.js';

/** 300 characters of which the first 290 are the same: their index keys differ by a hash only. */
const longTexts = ['aaaaaaaaaa', 'aaaaaaaaab', 'b\0bbbbbbbb', 'ééééé\u{1f600}xxx'].map(
  tail => 'long text '.repeat(29) + tail,
);
/** Around the 64 bytes at which keys are cut; one is cut in the middle of a character. */
const cutTexts = [62, 63, 64, 65]
  .map(size => 'k'.repeat(size))
  .concat(`${'k'.repeat(63)}é`, `${'k'.repeat(64)}\0`);
const texts = ['', 'a', 'b', 'ab', 'abc', 'a\0', '\0', 'a\uffff', 'a\u{10000}', '\uffff', '\u{1f600}', 'é'];
const numbers = [0, -0, 1, 2, -1, 1.5, 2 ** 53, -(2 ** 53), 1e308, -1e308, 5e-324, -5e-324, 1e21, 1e-7];
const nested: Json[] = [
  ...[[], [1], [1, 2], ['a', null], [[]]],
  ...[{}, { a: 1 }, { a: 1, b: 'a' }, { b: 'a', a: 1 }, { a: { b: [null, 0] } }, { kind: 'a', size: 2 }],
  ...longTexts.slice(0, 2).map(text => ({ text })),
  ...longTexts.slice(0, 2).map(text => [text]),
];
const everyday: Json[] = ['a', 'b', 'abc', 1, 2, null, true, false];

export const anyValue: fc.Arbitrary<Json> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...everyday) },
  { weight: 3, arbitrary: fc.constantFrom<Json>(...texts, ...numbers) },
  { weight: 2, arbitrary: fc.constantFrom<Json>(...longTexts, ...cutTexts) },
  { weight: 2, arbitrary: fc.constantFrom(...nested) },
);

export const anyTuple: fc.Arbitrary<Json[]> = fc.array(anyValue, { minLength: 1, maxLength: 7, size: 'max' });

/** A template, as JSON, that matches one of the tuples more often than not. */
export function templateFor(tuples: readonly (readonly Json[])[]): fc.Arbitrary<Json> {
  const shape = fc.constantFrom(...tuples).chain(shapeFor);
  const several = fc.array(shape, { minLength: 1, maxLength: 3 }).map(shapes => ({ $anyOf: shapes }));
  return fc.oneof({ weight: 5, arbitrary: shape }, { weight: 2, arbitrary: several });
}

function shapeFor(tuple: readonly Json[]): fc.Arbitrary<Json[]> {
  const whole = fc.tuple(...tuple.map(value => patternFor(value)));
  const open = fc
    .tuple(whole, fc.nat(tuple.length))
    .map(([patterns, kept]): Json[] => [...patterns.slice(0, kept), { $rest: true }]);
  const astray = fc.tuple(whole, anyValue).map(([patterns, value]) => [value, ...patterns.slice(1)]);
  return fc.oneof(
    { weight: 6, arbitrary: whole },
    { weight: 3, arbitrary: open },
    { weight: 1, arbitrary: astray },
  );
}

/** Arbitraries are dear to make, and the values are few. */
const patterns = new Map<string, fc.Arbitrary<Json>>();

/** A pattern that mostly matches the value. */
export function patternFor(value: Json, depth = 1): fc.Arbitrary<Json> {
  const key = `${depth} ${Object.is(value, -0) ? '-0' : JSON.stringify(value)}`;
  const known = patterns.get(key) ?? makePattern(value, depth);
  patterns.set(key, known);
  return known;
}

function makePattern(value: Json, depth: number): fc.Arbitrary<Json> {
  const choices = [
    { weight: 8, arbitrary: fc.constantFrom<Json>(value, { $eq: value }) },
    { weight: 5, arbitrary: fc.constant<Json>({ $any: true }) },
    { weight: 1, arbitrary: fc.constant<Json>({ $type: jsonType(value) }) },
    { weight: 1, arbitrary: anyValue.map(other => ({ $ne: other })) },
    { weight: 1, arbitrary: fc.tuple(anyValue, anyValue).map(others => ({ $oneOf: [...others, value] })) },
  ];
  if (typeof value === 'number')
    choices.push({ weight: 4, arbitrary: rangeFor(value, fc.constantFrom(...numbers)) });
  if (typeof value === 'string') {
    choices.push({
      weight: 4,
      arbitrary: rangeFor(value, fc.constantFrom(...texts, ...cutTexts, ...longTexts)),
    });
    choices.push({ weight: 3, arbitrary: prefixOf(value) });
  }
  if (depth > 0) {
    const inner = patternFor(value, depth - 1);
    choices.push({ weight: 1, arbitrary: inner.map(pattern => ({ $not: { $not: pattern } })) });
    choices.push({ weight: 1, arbitrary: anyValue.map(other => ({ $not: other })) });
    choices.push({ weight: 1, arbitrary: fc.tuple(inner, anyValue).map(two => ({ $or: two })) });
    if (Array.isArray(value)) choices.push({ weight: 3, arbitrary: itemsFor(value) });
    if (isObject(value)) choices.push({ weight: 4, arbitrary: membersFor(value) });
  }
  return fc.oneof(...choices);
}

function rangeFor<T extends number | string>(value: T, other: fc.Arbitrary<T>): fc.Arbitrary<Json> {
  const one = fc.constantFrom('$gt', '$gte', '$lt', '$lte').map((bound): Json => ({ [bound]: value }));
  const two = fc
    .tuple(other, fc.constantFrom('$gt', '$gte'), fc.constantFrom('$lt', '$lte'), fc.boolean())
    .map(
      ([end, low, high, up]): Json => (up ? { [low]: value, [high]: end } : { [low]: end, [high]: value }),
    );
  return fc.oneof(one, two);
}

const prefixOf = (text: string): fc.Arbitrary<Json> =>
  fc.constantFrom(0, 1, 2, 62, 63, 64, 65, 66, 289, 290, 295, 400).map(length => ({
    $prefix: [...text].slice(0, length).join(''),
  }));

const itemsFor = (items: readonly Json[]): fc.Arbitrary<Json> =>
  fc.tuple(...items.map(item => patternFor(item, 0))).map(patterns => [...patterns]);

function membersFor(object: JsonObject): fc.Arbitrary<Json> {
  const members = fc.record(
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key, patternFor(value, 0)])),
  ) as fc.Arbitrary<JsonObject>;
  const some = fc
    .tuple(members, fc.array(fc.boolean(), { minLength: 2, maxLength: 2 }))
    .map(([all, kept]) => ({
      $has: Object.fromEntries(Object.entries(all).filter((_, at) => kept[at] ?? true)),
    }));
  return fc.oneof(members, some);
}

export const anyFieldOrder: fc.Arbitrary<Exclude<Order, string>> = fc.record({
  field: fc.nat(6),
  dir: fc.constantFrom('asc', 'desc'),
});

export const anyOrder: fc.Arbitrary<Order> = fc.oneof(
  fc.constantFrom<Order>('oldest', 'newest'),
  anyFieldOrder,
);
