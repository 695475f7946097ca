/**
 * A second definition of a match, as obvious as can be: it reads the JSON of a template as the spec does, sentence by sentence,
 * and shares nothing with shared/. It trusts the template to be a good one and takes all the time that it likes.
 */
import type { Json, JsonObject } from '../../shared/json.js';

export function naiveMatch(template: Json, tuple: Json): boolean {
  if (isRecord(template)) return list(template.$anyOf).some(one => naiveMatch(one, tuple));
  const [patterns, fields] = [[...list(template)], list(tuple)];
  const open = same(patterns.at(-1) ?? null, { $rest: true });
  if (open) patterns.pop();
  const fitting = open ? fields.length >= patterns.length : fields.length === patterns.length;
  return fitting && patterns.every((pattern, index) => fits(pattern, fields[index]!));
}

function fits(pattern: Json, value: Json): boolean {
  if (Array.isArray(pattern)) {
    return (
      Array.isArray(value) && value.length === pattern.length && pattern.every((p, i) => fits(p, value[i]))
    );
  }
  if (!isRecord(pattern)) return same(pattern, value);
  const keys = Object.keys(pattern).sort();
  if (keys.some(key => key.startsWith('$'))) return keys.every(key => formals[key]!(pattern[key]!, value));
  return isRecord(value) && same(keys, Object.keys(value).sort()) && hasThese(pattern, value);
}

/** One line for each formal. Several stand together only as bounds: then every one of them must fit. */
const formals: Record<string, (operand: Json, value: Json) => boolean> = {
  $any: () => true,
  $type: (type, value) => typesOf(value).includes(type as string),
  $eq: (quoted, value) => same(quoted, value),
  $ne: (quoted, value) => !same(quoted, value),
  $gt: (bound, value) => comparable(value, bound) && compare(value, bound) > 0,
  $gte: (bound, value) => comparable(value, bound) && compare(value, bound) >= 0,
  $lt: (bound, value) => comparable(value, bound) && compare(value, bound) < 0,
  $lte: (bound, value) => comparable(value, bound) && compare(value, bound) <= 0,
  $oneOf: (values, value) => list(values).some(one => same(one, value)),
  $prefix: (prefix, value) => typeof value === 'string' && begins(points(value), points(prefix)),
  $has: (members, value) => isRecord(value) && hasThese(members, value),
  $not: (pattern, value) => !fits(pattern, value),
  $or: (patterns, value) => list(patterns).some(pattern => fits(pattern, value)),
  $schema: (schema, value) => obeys(schema, value),
};

const hasThese = (patterns: Json, value: JsonObject): boolean =>
  Object.entries(patterns as JsonObject).every(
    ([key, pattern]) => Object.keys(value).includes(key) && fits(pattern, value[key]!),
  );

/** The few keywords of JSON Schema that the tests use. */
const keywords: Record<string, (operand: Json, value: Json) => boolean> = {
  type: (type, value) => typesOf(value).includes(type as string),
  const: (constant, value) => same(constant, value),
  minimum: (least, value) => typeof value !== 'number' || compare(value, least) >= 0,
  minLength: (least, value) => typeof value !== 'string' || points(value).length >= Number(least),
  items: (schema, value) => !Array.isArray(value) || value.every(item => obeys(schema, item)),
  required: (keys, value) =>
    !isRecord(value) || list(keys).every(key => Object.keys(value).includes(key as string)),
  properties: (schemas, value) =>
    !isRecord(value) ||
    Object.entries(value).every(([key, member]) => obeys(own(schemas, key) ?? true, member)),
  not: (schema, value) => !obeys(schema, value),
};

const obeys = (schema: Json, value: Json): boolean =>
  typeof schema === 'boolean'
    ? schema
    : Object.entries(schema!).every(([key, to]) => keywords[key]!(to, value));

/** Deep equality: the same text, once keys stand in order. JSON writes 1.0 as 1 and -0 as 0. */
export const same = (a: Json, b: Json): boolean => canonical(a) === canonical(b);

const canonical = (value: Json): string => JSON.stringify(sorted(value));

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map(key => [key, sorted(value[key]!)]),
  );
}

function typesOf(value: Json): string[] {
  if (value === null) return ['null'];
  if (Array.isArray(value)) return ['array'];
  return typeof value === 'number' && Math.floor(value) === value ? ['number', 'integer'] : [typeof value];
}

const comparable = (a: Json, b: Json): boolean =>
  (typeof a === 'number' && typeof b === 'number') || (typeof a === 'string' && typeof b === 'string');

function compare(a: Json, b: Json): number {
  if (typeof a === 'number') return a > Number(b) ? 1 : a < Number(b) ? -1 : 0;
  return comparePoints(points(a), points(b));
}

export function comparePoints(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((point, index) => point !== b[index]);
  return at === -1 ? a.length - b.length : a[at]! - (b[at] ?? -1);
}

export const points = (text: Json): number[] => Array.from(text as string, point => point.codePointAt(0)!);
const begins = (text: number[], prefix: number[]): boolean => same(text.slice(0, prefix.length), prefix);

const isRecord = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const list = (value: Json | undefined): readonly Json[] => value as readonly Json[];
const own = (object: Json, key: string): Json | undefined =>
  Object.entries(object as JsonObject).find(([name]) => name === key)?.[1];
