/**
 * A tuple is a JSON array of 1 to `limits.fields` fields; a field is any JSON value.
 * What the checks here refuse can never be stored, sent or matched: nothing behind them checks again.
 */
import { invalid, TupletError } from './errors.js';
import type { Json } from './json.js';
import { limits } from './limits.js';

export type Tuple = readonly Json[];

const utf8 = new TextEncoder();

/** Bytes of a text in UTF-8. */
export function utf8Bytes(text: string): number {
  // A UTF-16 unit takes at most three bytes: short texts need no count.
  return utf8.encode(text).length;
}

const named = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** Throws `invalid` unless `name` can name a space or a lock. */
export function checkName(name: unknown, field: string): asserts name is string {
  if (typeof name !== 'string' || name.length > limits.spaceNameCharacters || !named.test(name)) {
    throw invalid(
      field,
      `a name is 1 to ${limits.spaceNameCharacters} of A-Z a-z 0-9 . _ - and does not begin with a dot`,
    );
  }
}

/**
 * Checks a value from outside and gives its JSON text, which is what is stored.
 * Throws `invalid` with the path of the fault, or `too_large`.
 */
export function encodeTuple(value: unknown, field = 'tuple'): string {
  if (!Array.isArray(value)) throw invalid(field, 'a tuple is an array of fields');
  if (value.length < 1 || value.length > limits.fields) {
    throw invalid(field, `a tuple has 1 to ${limits.fields} fields, this one has ${value.length}`);
  }
  checkJson(value, field, limits.tupleDepth);
  const text = JSON.stringify(value);
  checkSize(text, field);
  return text;
}

/** Throws `too_large` if a text is over the bound of tuples and templates. */
export function checkSize(text: string, field: string): void {
  // Three bytes a unit is the most: the exact count is only needed near the bound.
  if (text.length * 3 <= limits.tupleBytes) return;
  const bytes = utf8Bytes(text);
  if (bytes > limits.tupleBytes) {
    throw new TupletError('too_large', `${field}: ${bytes} bytes encoded, at most ${limits.tupleBytes}`, {
      field,
    });
  }
}

/** Throws `invalid` unless `value` is JSON that comes back as it went, nested at most `depth` deep. */
export function checkJson(value: unknown, field: string, depth: number): asserts value is Json {
  switch (typeof value) {
    case 'boolean':
      return;
    case 'number':
      if (!Number.isFinite(value)) throw invalid(field, 'this number does not survive as a double');
      return;
    case 'string':
      return checkText(value, field);
    case 'object':
      if (value === null) return;
      if (depth === 0) throw invalid(field, 'nested too deep');
      return Array.isArray(value) ? checkItems(value, field, depth) : checkMembers(value, field, depth);
    case 'undefined':
    case 'function':
    case 'symbol':
    case 'bigint':
      throw invalid(field, `${typeof value} is not a JSON value`);
  }
}

function checkItems(items: readonly unknown[], field: string, depth: number): void {
  // An index loop sees the holes of a sparse array, forEach would skip them.
  for (let index = 0; index < items.length; index++) checkJson(items[index], `${field}[${index}]`, depth - 1);
}

function checkMembers(object: object, field: string, depth: number): void {
  const prototype = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) {
    throw invalid(field, `${object.constructor?.name ?? 'this object'} is not a JSON value`);
  }
  for (const key of Object.keys(object)) {
    checkKey(key, field);
    checkJson((object as Record<string, unknown>)[key], `${field}.${key}`, depth - 1);
  }
}

export function checkKey(key: string, field: string): void {
  if (key === '__proto__') throw invalid(field, 'the key __proto__ is refused');
  checkText(key, field);
}

function checkText(text: string, field: string): void {
  if (!text.isWellFormed()) throw invalid(field, 'a lone surrogate is not text');
}
