/**
 * Formals of the SDK: what stands in a template for "any number", "at least 5". They are branded, so that plain data never turns
 * into one: an object of the user's with `$` keys is quoted on its way out.
 */
import { invalid } from '../shared/errors.js';
import { isObject, type Json } from '../shared/json.js';
import { limits } from '../shared/limits.js';
import { checkJson } from '../shared/tuple.js';

declare const matched: unique symbol;

/** A pattern for values of type T. */
export interface Formal<T> {
  readonly [matched]: T;
}
/** Stands last in a template: any number of further fields. */
export interface Rest {
  readonly [matched]: 'rest';
}
/** A template that matches what one of several matches. */
export interface AnyOf<T> {
  readonly [matched]: 'anyOf';
  readonly templates: T;
}

/** The pattern of the wire that a formal stands for. */
class WireFormal {
  constructor(readonly pattern: Json) {}
}

const formal = <T>(pattern: Json): Formal<T> => new WireFormal(pattern) as unknown as Formal<T>;

/** Any value. */
export const any: Formal<Json> = formal({ $any: true });
/** A whole number. */
export const integer: Formal<number> = formal({ $type: 'integer' });
/** Any number of further fields; stands last. */
export const rest: Rest = new WireFormal({ $rest: true }) as unknown as Rest;

type Bound = number | string;
type Widened<T> = T extends number ? number : string;
/** Greater than; numbers with numbers, strings by code point with strings. */
export const gt = <T extends Bound>(bound: T): Formal<Widened<T>> => formal({ $gt: bound });
/** Greater than or equal. */
export const gte = <T extends Bound>(bound: T): Formal<Widened<T>> => formal({ $gte: bound });
/** Less than. */
export const lt = <T extends Bound>(bound: T): Formal<Widened<T>> => formal({ $lt: bound });
/** Less than or equal. */
export const lte = <T extends Bound>(bound: T): Formal<Widened<T>> => formal({ $lte: bound });
/** Between bounds of one type: `range({ gte: 1, lt: 10 })`. */
export const range = <T extends Bound>(bounds: { gt?: T; gte?: T; lt?: T; lte?: T }): Formal<Widened<T>> =>
  formal(Object.fromEntries(Object.entries(bounds).map(([key, bound]) => [`$${key}`, bound])));
/** Just this value: needed only to quote what would be read as something else. */
export const eq = <const T>(value: T): Formal<T> => formal({ $eq: plain(value, 'eq') });
/** Anything but this value. */
export const ne = (value: unknown): Formal<Json> => formal({ $ne: plain(value, 'ne') });
/** One of these values. */
export const oneOf = <const T extends readonly unknown[]>(...values: T): Formal<T[number]> =>
  formal({ $oneOf: values.map(value => plain(value, 'oneOf')) });
/** A string that begins so. */
export const prefix = (text: string): Formal<string> => formal({ $prefix: text });
/** An object with at least these members. */
export const has = <const T extends Record<string, unknown>>(
  members: T,
): Formal<{ readonly [K in keyof T]: FieldOf<T[K]> }> =>
  formal({
    $has: Object.fromEntries(
      Object.entries(members).map(([key, one]) => [key, encodePattern(one, `has.${key}`)]),
    ),
  });
/** Anything that the pattern does not match. */
export const not = (pattern: unknown): Formal<Json> => formal({ $not: encodePattern(pattern, 'not') });
/** What one of the patterns matches. */
export const or = <const T extends readonly unknown[]>(...patterns: T): Formal<FieldOf<T[number]>> =>
  formal({ $or: patterns.map((one, at) => encodePattern(one, `or[${at}]`)) });
/** What a JSON Schema accepts; the caller says which type that is. */
export const schema = <T = Json>(jsonSchema: object): Formal<T> => formal({ $schema: jsonSchema as Json });
/**
 * A pattern as the wire has it, for one that comes as text: from a file, from a command line. Its objects with `$` keys are formals, so
 * do not make it of data. The caller says which type it matches.
 */
export const pattern = <T = Json>(json: unknown): Formal<T> => {
  checkJson(json, 'pattern', limits.tupleDepth * 2);
  return formal(json);
};
/** A template that matches what one of these matches; the oldest entry of them all comes first. */
export const anyOf = <const T extends readonly (readonly unknown[])[]>(...templates: T): AnyOf<T[number]> =>
  new WireFormal({
    $anyOf: templates.map((one, at) => encodePatterns(one, `anyOf[${at}]`)),
  }) as unknown as AnyOf<T[number]>;

const constructors = new Map<unknown, string>([
  [Number, 'number'],
  [String, 'string'],
  [Boolean, 'boolean'],
  [Array, 'array'],
  [Object, 'object'],
]);

/** A template for the wire. Throws `invalid` for what is neither JSON nor a formal. */
export function encodeTemplate(template: unknown): Json {
  if (template instanceof WireFormal && isObject(template.pattern) && '$anyOf' in template.pattern) {
    return template.pattern;
  }
  if (!Array.isArray(template)) throw invalid('template', 'is an array of patterns, or anyOf(…)');
  return encodePatterns(template, 'template');
}

const encodePatterns = (patterns: readonly unknown[], field: string): Json =>
  patterns.map((one, at) => encodePattern(one, `${field}[${at}]`));

function encodePattern(value: unknown, field: string): Json {
  if (value instanceof WireFormal) return value.pattern;
  const type = constructors.get(value);
  if (type) return { $type: type };
  if (Array.isArray(value)) return encodePatterns(value, field);
  if (typeof value !== 'object' || value === null) return plain(value, field);
  const members = Object.entries(value);
  if (members.some(([key]) => key.startsWith('$'))) return { $eq: plain(value, field) };
  // Only plain objects may be taken apart: a Date has no members, and must not become {}.
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return plain(value, field);
  return Object.fromEntries(members.map(([key, member]) => [key, encodePattern(member, `${field}.${key}`)]));
}

function plain(value: unknown, field: string): Json {
  checkJson(value, field, limits.tupleDepth);
  return value;
}

type Constructed<P> = P extends NumberConstructor
  ? number
  : P extends StringConstructor
    ? string
    : P extends BooleanConstructor
      ? boolean
      : P extends ArrayConstructor
        ? Json[]
        : P extends ObjectConstructor
          ? { [key: string]: Json }
          : never;

/** The type of the values that a pattern matches. */
export type FieldOf<P> =
  P extends Formal<infer T>
    ? T
    : [Constructed<P>] extends [never]
      ? P extends string | number | boolean | null
        ? P
        : P extends object
          ? { -readonly [K in keyof P]: FieldOf<P[K]> }
          : P
      : Constructed<P>;

type FieldsOf<T extends readonly unknown[]> = T extends readonly [...infer Head, Rest]
  ? [...{ -readonly [K in keyof Head]: FieldOf<Head[K]> }, ...Json[]]
  : { -readonly [K in keyof T]: FieldOf<T[K]> };

/** What may stand as a template. */
export type TemplateLike = readonly unknown[] | AnyOf<readonly unknown[]>;

type OneOfThese<T> = T extends readonly unknown[] ? FieldsOf<T> : never;

/** The type of the tuples that a template matches. */
export type TupleOf<T> =
  T extends AnyOf<infer U> ? OneOfThese<U> : T extends readonly unknown[] ? FieldsOf<T> : never;

/** The tuples of a typed space that a template can match; what the template says where the space says nothing. */
export type RowOf<Row, T> = [Extract<Row, Loose<TupleOf<T>>>] extends [never]
  ? TupleOf<T>
  : Extract<Row, Loose<TupleOf<T>>>;
/** Json is a union with an index signature, which interfaces do not fit: as a row's field, anything does. */
type Loose<T> = { [K in keyof T]: Json extends T[K] ? unknown : T[K] };

/** T where it is plain data, and a sentence where it is not. All of Json is let through whole: it has no end to look for. */
export type Data<T> = [Json] extends [T] ? ([T] extends [Json] ? T : DataOf<T>) : DataOf<T>;

type DataOf<T> = T extends string | number | boolean | null
  ? T
  : T extends undefined
    ? 'undefined is not a JSON value'
    : T extends bigint | symbol
      ? 'this is not a JSON value'
      : T extends Formal<unknown> | Rest | AnyOf<unknown>
        ? 'a formal cannot stand in a tuple'
        : T extends (...args: never[]) => unknown
          ? 'a function is not a JSON value'
          : T extends Date
            ? 'a Date is not a JSON value: use its number or its ISO string'
            : T extends object
              ? { readonly [K in keyof T]: Data<T[K]> }
              : T;
