/**
 * Templates, and `matches`, the only definition of a match in tuplet. Stores and waiters use `Shape` to narrow; they never decide.
 *
 * A template is an array of patterns, one for each field; a last `{"$rest": true}` lets any number of fields follow. Plain JSON
 * matches by deep equality; an object with `$` keys is a formal; formals may stand inside plain objects and arrays.
 * `{"$anyOf": [template, …]}` matches what one of its templates matches.
 */
import { invalid, TupletError } from './errors.js';
import {
  canonicalJson,
  compareText,
  equalJson,
  isObject,
  type Json,
  type JsonObject,
  jsonType,
  keyCount,
} from './json.js';
import { limits } from './limits.js';
import { compileSchema, type SchemaTest } from './schema.js';
import { checkJson, checkSize, type Tuple } from './tuple.js';

/** What `$gt $gte $lt $lte` say. All bounds are of one type, and only values of that type match. */
export interface Range {
  readonly gt?: number | string;
  readonly gte?: number | string;
  readonly lt?: number | string;
  readonly lte?: number | string;
}

export type Pattern =
  | { readonly kind: 'literal'; readonly value: Json }
  | { readonly kind: 'any' }
  | { readonly kind: 'type'; readonly type: string }
  | { readonly kind: 'range'; readonly range: Range }
  | { readonly kind: 'ne'; readonly value: Json }
  | { readonly kind: 'oneOf'; readonly values: readonly Json[] }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'has'; readonly members: readonly (readonly [string, Pattern])[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, Pattern])[] }
  | { readonly kind: 'array'; readonly items: readonly Pattern[] }
  | { readonly kind: 'not'; readonly pattern: Pattern }
  | { readonly kind: 'or'; readonly patterns: readonly Pattern[] }
  | { readonly kind: 'schema'; readonly test: SchemaTest };

/** One array template: its patterns, and whether further fields may follow. */
export interface Shape {
  readonly patterns: readonly Pattern[];
  readonly rest: boolean;
}

/** A checked template. It matches where one of its shapes does; all but `$anyOf` have one. */
export interface Template {
  readonly shapes: readonly Shape[];
  /** The same for templates that are equal. */
  readonly text: string;
}

/** Whether a tuple matches a template. */
export function matches(template: Template, tuple: Tuple): boolean {
  for (const shape of template.shapes) if (matchesShape(shape, tuple)) return true;
  return false;
}

function matchesShape({ patterns, rest }: Shape, tuple: Tuple): boolean {
  if (rest ? tuple.length < patterns.length : tuple.length !== patterns.length) return false;
  for (let index = 0; index < patterns.length; index++) {
    if (!matchesPattern(patterns[index] as Pattern, tuple[index] as Json)) return false;
  }
  return true;
}

function matchesPattern(pattern: Pattern, value: Json): boolean {
  switch (pattern.kind) {
    case 'literal':
      return equalJson(pattern.value, value);
    case 'any':
      return true;
    case 'type':
      return pattern.type === 'integer' ? Number.isInteger(value) : jsonType(value) === pattern.type;
    case 'range':
      return inRange(pattern.range, value);
    case 'ne':
      return !equalJson(pattern.value, value);
    case 'oneOf':
      return pattern.values.some(one => equalJson(one, value));
    case 'prefix':
      return typeof value === 'string' && value.startsWith(pattern.prefix);
    case 'has':
      return isObject(value) && hasMembers(pattern.members, value);
    case 'object':
      return (
        isObject(value) && keyCount(value) === pattern.members.length && hasMembers(pattern.members, value)
      );
    case 'array':
      return (
        Array.isArray(value) &&
        value.length === pattern.items.length &&
        pattern.items.every((item, index) => matchesPattern(item, value[index]))
      );
    case 'not':
      return !matchesPattern(pattern.pattern, value);
    case 'or':
      return pattern.patterns.some(one => matchesPattern(one, value));
    case 'schema':
      return pattern.test(value);
  }
}

function hasMembers(members: readonly (readonly [string, Pattern])[], value: JsonObject): boolean {
  for (const [key, pattern] of members) {
    if (!Object.hasOwn(value, key) || !matchesPattern(pattern, value[key] as Json)) return false;
  }
  return true;
}

function inRange({ gt, gte, lt, lte }: Range, value: Json): boolean {
  const bound = gt ?? gte ?? lt ?? lte;
  if (typeof value !== typeof bound || (typeof value !== 'number' && typeof value !== 'string')) return false;
  return (
    (gt === undefined || compareSame(value, gt) > 0) &&
    (gte === undefined || compareSame(value, gte) >= 0) &&
    (lt === undefined || compareSame(value, lt) < 0) &&
    (lte === undefined || compareSame(value, lte) <= 0)
  );
}

const compareSame = (a: number | string, b: number | string): number =>
  typeof a === 'number' ? a - (b as number) : compareText(a, b as string);

/** Checks a template from outside. Throws `invalid` with the path of the fault, or `too_large`. */
export function parseTemplate(source: unknown, field = 'template'): Template {
  checkJson(source, field, limits.tupleDepth * 2);
  const text = canonicalJson(source);
  checkSize(text, field);
  const budget = new Budget(field);
  if (!isObject(source)) return { shapes: [parseShape(source, field, budget)], text };
  const alternatives = source.$anyOf;
  if (Object.keys(source).length !== 1 || alternatives === undefined) {
    throw invalid(field, 'a template is an array of patterns, or {"$anyOf": [template, …]}');
  }
  const list = nonEmptyList(alternatives, `${field}.$anyOf`, limits.alternatives);
  return { shapes: list.map((one, index) => parseShape(one, `${field}.$anyOf[${index}]`, budget)), text };
}

/** What one template may cost: the time of a match grows with its patterns, that of its check with its schemas. */
class Budget {
  readonly #left = { patterns: limits.templatePatterns as number, schemas: limits.templateSchemas as number };

  constructor(readonly field: string) {}

  spend(what: 'patterns' | 'schemas', count = 1): void {
    this.#left[what] -= count;
    if (this.#left[what] >= 0) return;
    const most = what === 'patterns' ? limits.templatePatterns : limits.templateSchemas;
    throw new TupletError('too_large', `${this.field}: has more than ${most} ${what}`, { field: this.field });
  }
}

function parseShape(source: Json, field: string, budget: Budget): Shape {
  if (!Array.isArray(source)) throw invalid(field, 'a template is an array of patterns');
  const rest = isRest(source.at(-1));
  const items = rest ? source.slice(0, -1) : source;
  if (source.length < 1 || items.length > limits.fields) {
    throw invalid(field, `a template has 1 to ${limits.fields} patterns, this one has ${items.length}`);
  }
  return { patterns: items.map((item, index) => parsePattern(item, `${field}[${index}]`, budget)), rest };
}

const isRest = (item: Json | undefined): boolean =>
  isObject(item) && item.$rest === true && Object.keys(item).length === 1;

function parsePattern(source: Json, field: string, budget: Budget): Pattern {
  budget.spend('patterns');
  if (isPlain(source)) return { kind: 'literal', value: source };
  if (Array.isArray(source)) {
    return {
      kind: 'array',
      items: source.map((item, index) => parsePattern(item, `${field}[${index}]`, budget)),
    };
  }
  const object = source as JsonObject;
  const keys = Object.keys(object);
  if (keys.some(key => key.startsWith('$'))) return parseFormal(object, keys, field, budget);
  return { kind: 'object', members: parseMembers(object, field, budget) };
}

/** Whether a value has no `$` key at any depth, and so stands for itself. */
function isPlain(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  return Object.entries(value).every(([key, member]) => !key.startsWith('$') && isPlain(member));
}

const parseMembers = (source: JsonObject, field: string, budget: Budget): [string, Pattern][] =>
  Object.entries(source).map(([key, value]) => [key, parsePattern(value, `${field}.${key}`, budget)]);

const types = new Set(['string', 'number', 'integer', 'boolean', 'null', 'array', 'object']);
const bounds = new Set(['$gt', '$gte', '$lt', '$lte']);

function parseFormal(source: JsonObject, keys: readonly string[], field: string, budget: Budget): Pattern {
  if (keys.every(key => bounds.has(key))) return { kind: 'range', range: parseRange(source, field) };
  const [key, ...others] = keys as [string, ...string[]];
  if (others.length > 0) {
    throw invalid(field, `${keys.join(', ')} do not go together; quote a literal with {"$eq": …}`);
  }
  const operand = source[key] as Json;
  const at = `${field}.${key}`;
  switch (key) {
    case '$any':
      if (operand !== true) throw invalid(at, 'is true or not there');
      return { kind: 'any' };
    case '$type':
      if (typeof operand !== 'string' || !types.has(operand))
        throw invalid(at, `is one of ${[...types].join(', ')}`);
      return { kind: 'type', type: operand };
    case '$eq':
      return { kind: 'literal', value: operand };
    case '$ne':
      return { kind: 'ne', value: operand };
    case '$oneOf': {
      const values = nonEmptyList(operand, at, limits.oneOfValues);
      budget.spend('patterns', values.length);
      return { kind: 'oneOf', values };
    }
    case '$prefix':
      if (typeof operand !== 'string') throw invalid(at, 'is a string');
      return { kind: 'prefix', prefix: operand };
    case '$has':
      if (!isObject(operand)) throw invalid(at, 'is an object of patterns');
      return { kind: 'has', members: parseMembers(operand, at, budget) };
    case '$not':
      return { kind: 'not', pattern: parsePattern(operand, at, budget) };
    case '$or': {
      const list = nonEmptyList(operand, at, limits.alternatives);
      return { kind: 'or', patterns: list.map((one, index) => parsePattern(one, `${at}[${index}]`, budget)) };
    }
    case '$schema':
      budget.spend('schemas');
      return { kind: 'schema', test: compileSchema(operand, at) };
    case '$rest':
      throw invalid(at, 'stands last in a template, as {"$rest": true}');
    default:
      throw invalid(field, `${key} is not a formal; quote a literal with {"$eq": …}`);
  }
}

function parseRange(source: JsonObject, field: string): Range {
  const values = Object.values(source);
  const type = typeof values[0];
  if ((type !== 'number' && type !== 'string') || values.some(value => typeof value !== type)) {
    throw invalid(field, 'bounds are all numbers or all strings');
  }
  return Object.fromEntries(Object.entries(source).map(([key, value]) => [key.slice(1), value]));
}

function nonEmptyList(value: Json, field: string, most: number): readonly Json[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > most) {
    throw invalid(field, `is a list of 1 to ${most}`);
  }
  return value;
}
