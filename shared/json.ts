/**
 * JSON values, and the one parser for text that comes from outside.
 * A number that a double cannot keep (2^53 + 1, 1e400) must be refused, yet JSON.parse rounds it in silence: `parseJson` turns
 * such a number into Infinity, which no check lets pass, so that the error can name the field and only that request fails.
 */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Only numbers of sixteen digits or more, or with a large exponent, can be lossy: most text is let through by one test. */
const suspicious = /\d(?:\.?\d){15}|[eE][+-]?\d{3}/;
const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;

/** Parses JSON text as JSON.parse does, save that lossy numbers become Infinity. Throws SyntaxError. */
export function parseJson(text: string): unknown {
  // First, for the tokens below are only those of JSON if the text is JSON; an unclosed string would cost quadratic time.
  const value: unknown = JSON.parse(text);
  if (!suspicious.test(text)) return value;
  const marked = text.replace(stringOrNumber, token =>
    token[0] === '"' || survivesDouble(token) ? token : '1e999',
  );
  return marked === text ? value : JSON.parse(marked);
}

/** Whether the decimal number in `token` is the very number that its double prints as. */
export function survivesDouble(token: string): boolean {
  const double = Number(token);
  return Number.isFinite(double) && sameDecimal(decimal(token), decimal(String(double)));
}

interface Decimal {
  digits: string;
  exponent: number;
}

/** Significant digits without outer zeros, as an integer times ten to the exponent; zero has none. */
function decimal(token: string): Decimal {
  const [, whole = '', fraction = '', power = '0'] =
    /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token) ?? [];
  const all = (whole + fraction).replace(/^0+/, '');
  // Without the lookbehind, a long run of zeros inside would be tried from each of its zeros: quadratic time.
  const digits = all.replace(/(?<!0)0+$/, '');
  return {
    digits,
    exponent: digits === '' ? 0 : Number(power) - fraction.length + all.length - digits.length,
  };
}

const sameDecimal = (a: Decimal, b: Decimal): boolean => a.digits === b.digits && a.exponent === b.exponent;

/** Deep equality of JSON values: key order does not matter, 1 equals 1.0, -0 equals 0. */
export function equalJson(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) && a.length === b.length && a.every((item, index) => equalJson(item, b[index] as Json))
    );
  }
  if (Array.isArray(b)) return false;
  const [left, right] = [a as JsonObject, b as JsonObject];
  const keys = Object.keys(left);
  return (
    keys.every(key => Object.hasOwn(right, key) && equalJson(left[key] as Json, right[key] as Json)) &&
    keyCount(right) === keys.length
  );
}

const keyCounts = new WeakMap<JsonObject, number>();

/** How many keys an object has; counted once, since a template may ask a large object many times. */
export function keyCount(object: JsonObject): number {
  const known = keyCounts.get(object);
  if (known !== undefined) return known;
  const count = Object.keys(object).length;
  keyCounts.set(object, count);
  return count;
}

/** Text that is the same for equal values: keys in code unit order, -0 as 0. */
export function canonicalJson(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const object = value as JsonObject;
  const members = Object.keys(object)
    .sort()
    .map(key => `${JSON.stringify(key)}:${canonicalJson(object[key] as Json)}`);
  return `{${members.join(',')}}`;
}

const typeRanks = { null: 0, boolean: 1, number: 2, string: 3, array: 4, object: 5 } as const;
export type JsonType = keyof typeof typeRanks;

export function jsonType(value: Json): JsonType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value as JsonType;
}

/**
 * The order of `order: {field}`: null, booleans (false first), numbers, strings by code point, then arrays and objects, each by
 * the code points of its canonical text.
 */
export function compareJson(a: Json, b: Json): number {
  const [left, right] = [jsonType(a), jsonType(b)];
  if (left !== right) return typeRanks[left] - typeRanks[right];
  if (left === 'null') return 0;
  if (left === 'boolean' || left === 'number') return Number(a) - Number(b);
  if (left === 'string') return compareText(a as string, b as string);
  return compareText(canonicalJson(a), canonicalJson(b));
}

/** Order by code point. JavaScript's own `<` goes by UTF-16 units, where astral characters sort below U+E000 to U+FFFF. */
export function compareText(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let at = 0; at < end; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left !== right) return codePointRank(left) - codePointRank(right);
  }
  return a.length - b.length;
}

/** Moves the surrogates above the rest of the plane, which is where the code points that they stand for belong. */
const codePointRank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
