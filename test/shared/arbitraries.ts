/**
 * Tuples, and templates made from them. The pools are small, so that values meet often, and nasty. A template is a tuple whose fields
 * gave way to patterns that were made for them, most of which match.
 */
import fc from 'fast-check';
import type { Json, JsonObject } from '../../shared/json.js';

const numbers = [0, -0, 1, 1.0, 2, -1, 0.5, 2 ** 53, -(2 ** 53), 1e308, -1e308, 5e-324];
const long = 'x'.repeat(300);
const plainTexts = ['', 'a', 'ab', 'b', '1', long, `${long}!`];
const texts = [...plainTexts, '\0', 'a\0', '\uffff', '\u{10000}', 'a\uffff', 'a\u{10000}'];
const keys = ['', 'a', 'b', '1', '\0', '$any', '$eq', '$rest', 'toString', 'valueOf', 'constructor'];
const types = ['string', 'number', 'integer', 'boolean', 'null', 'array', 'object'];

const anyKey = fc.constantFrom(...keys);
const leaf = fc.constantFrom<Json>(null, true, false, ...numbers, ...texts);

export const anyJson: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(anyKey, tie('value'), { maxKeys: 3 }),
  ),
})).value;

export const anyTuple: fc.Arbitrary<readonly Json[]> = fc.array(anyJson, { minLength: 1, maxLength: 3 });

/** A template, and a tuple that it was made for or a stranger to it. */
export const meeting: fc.Arbitrary<{ template: Json; tuple: readonly Json[] }> = fc
  .tuple(anyTuple, anyTuple, fc.constantFrom(true, true, true, false))
  .chain(([tuple, other, related]) =>
    fc.record({ template: templateFor(related ? tuple : other), tuple: fc.constant(tuple) }),
  );

/** One of these, built when it is chosen: to build them all takes far longer. */
const choose = <T>(...makers: (() => fc.Arbitrary<T>)[]): fc.Arbitrary<T> =>
  fc.constantFrom(...makers).chain(make => make());

function templateFor(tuple: readonly Json[]): fc.Arbitrary<Json> {
  const shape = () => shapeFor(tuple);
  const either = () => fc.tuple(shape(), anyTuple.chain(shapeFor)).map($anyOf => ({ $anyOf }));
  return choose<Json>(shape, shape, shape, either);
}

/** One pattern for each field; or for some of them and a `$rest`; or for one field too many. */
function shapeFor(tuple: readonly Json[]): fc.Arbitrary<Json[]> {
  const closed = () => patternsFor(tuple);
  const open = () => fc.nat(tuple.length).chain(end => openShapeFor(tuple.slice(0, end)));
  const tooLong = () =>
    choose(
      () => patternsFor([...tuple, null]),
      () => openShapeFor([...tuple, null]),
    );
  return choose(closed, closed, closed, open, tooLong);
}

const openShapeFor = (fields: readonly Json[]): fc.Arbitrary<Json[]> =>
  patternsFor(fields).map(patterns => [...patterns, { $rest: true }]);

const patternsFor = (fields: readonly Json[], depth = 2): fc.Arbitrary<Json[]> =>
  fc.tuple(...fields.map(field => patternFor(field, depth)));

function patternFor(value: Json, depth: number): fc.Arbitrary<Json> {
  const formal = () => formalFor(value, depth);
  if (depth === 0) return literal(value);
  return choose(
    () => literal(value),
    () => structureFor(value, depth),
    formal,
    formal,
  );
}

const literal = (value: Json): fc.Arbitrary<Json> =>
  /"\$\w+":/.test(JSON.stringify(value))
    ? fc.constant({ $eq: value })
    : fc.constantFrom<Json>(value, { $eq: value });

/** Plain arrays and objects with patterns in them. */
function structureFor(value: Json, depth: number): fc.Arbitrary<Json> {
  if (Array.isArray(value)) return patternsFor(value, depth - 1);
  if (!isRecord(value) || Object.keys(value).some(key => key.startsWith('$'))) return literal(value);
  return membersFor(Object.entries(value), depth);
}

const membersFor = (members: [string, Json][], depth: number): fc.Arbitrary<JsonObject> =>
  patternsFor(
    members.map(([, value]) => value),
    depth - 1,
  ).map(patterns => Object.fromEntries(members.map(([key], index) => [key, patterns[index]!])));

function formalFor(value: Json, depth: number): fc.Arbitrary<Json> {
  const patternNear = near(value).chain(one => patternFor(one, depth - 1));
  return choose<Json>(
    () => fc.constant({ $any: true }),
    () => fc.constantFrom(...types, typeName(value), typeName(value)).map($type => ({ $type })),
    () => rangeFor(value),
    () => rangeFor(value),
    () => near(value).map($ne => ({ $ne })),
    () => fc.array(near(value), { minLength: 1, maxLength: 3 }).map($oneOf => ({ $oneOf })),
    () => fc.constantFrom(...prefixesOf(value)).map($prefix => ({ $prefix })),
    () => near(value).chain(one => hasFor(one, depth)),
    () => patternNear.map($not => ({ $not })),
    () => fc.tuple(patternNear, patternNear).map($or => ({ $or })),
    () => schemaFor(value).map($schema => ({ $schema })),
  );
}

const near = (value: Json): fc.Arbitrary<Json> =>
  choose(
    () => fc.constantFrom<Json>(value, [value], { a: value }),
    () => fc.constant(value),
    () => anyJson,
  );

function rangeFor(value: Json): fc.Arbitrary<Json> {
  const pool: Json[] = typeof value === 'string' ? [value, ...texts] : numbers;
  const bound = fc.constantFrom(...pool);
  return fc
    .subarray(['$gt', '$gte', '$lt', '$lte'], { minLength: 1, maxLength: 2 })
    .chain(names => fc.record(Object.fromEntries(names.map(name => [name, bound]))));
}

const prefixesOf = (value: Json): string[] =>
  typeof value === 'string' ? ['a', '', Array.from(value)[0] ?? '', value] : ['', 'a'];

const hasFor = (value: Json, depth: number): fc.Arbitrary<Json> =>
  fc
    .subarray(isRecord(value) ? Object.entries(value) : [])
    .chain(members => membersFor(members, depth))
    .map($has => ({ $has }));

const someType = fc.constantFrom(...types).map(type => ({ type }));
const schemaFor = (value: Json): fc.Arbitrary<Json> =>
  choose<Json>(
    () => fc.boolean(),
    () => someType,
    () => near(value).map(constant => ({ const: constant })),
    () => fc.record({ minimum: fc.constantFrom(...numbers), minLength: fc.nat(2) }),
    () => fc.record({ required: fc.uniqueArray(anyKey, { maxLength: 1 }), not: someType }),
    () => fc.dictionary(anyKey, someType, { maxKeys: 1 }).map(properties => ({ properties })),
    () => someType.map(items => ({ items })),
  );

function typeName(value: Json): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

const isRecord = (value: Json): value is JsonObject => typeName(value) === 'object';

export const formalNames =
  '$any $type $eq $ne $gt $gte $lt $lte $oneOf $prefix $has $not $or $schema $rest $anyOf'.split(' ');

/** What looks like a template from afar: formals with wrong operands, in wrong places, mixed. Some are good ones. */
const wildPart: fc.Arbitrary<Json> = fc.letrec<{ part: Json }>(tie => ({
  part: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<Json>(null, true, 0, 1, 'a', 'string', {}, []),
    fc.array(tie('part'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', ...formalNames), tie('part'), { minKeys: 1, maxKeys: 2 }),
  ),
})).part;
const wildShape = fc.array(wildPart, { maxLength: 2 });
const wildChoice = fc.array(fc.oneof(wildShape, wildPart), { maxLength: 2 }).map($anyOf => ({ $anyOf }));
export const wildTemplate: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: wildShape },
  { weight: 1, arbitrary: wildChoice },
  { weight: 1, arbitrary: wildPart },
);
