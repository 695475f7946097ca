/**
 * Index keys: bytes that compare as the values do (see compareJson), so that one btree serves equality, ranges and order.
 * A key is a tag for the JSON type, then the value. Strings, and the canonical text of arrays and objects, are cut after
 * `keyPrefixBytes` and closed with a hash of the whole: long keys still tell values apart, but no longer order them among those
 * with the same beginning. Whoever needs that order compares the values themselves.
 */
import { createHash } from 'node:crypto';
import { canonicalJson, type Json, type JsonType, jsonType } from '../../shared/json.js';

export const keyPrefixBytes = 64;
/** Tag and cut text of a long key: what it shares with all values that begin alike. */
export const longKeyPrefix = 1 + keyPrefixBytes;
const hashBytes = 16;

const tags = { null: 1, boolean: 2, number: 4, string: 5, array: 6, object: 7 } as const;

export function indexKey(value: Json): Buffer {
  const type = jsonType(value);
  switch (type) {
    case 'null':
      return Buffer.of(tags.null);
    case 'boolean':
      return Buffer.of(value ? tags.boolean + 1 : tags.boolean);
    case 'number':
      return numberKey(value as number);
    case 'string':
      return textKey(tags.string, value as string);
    case 'array':
    case 'object':
      return textKey(tags[type], canonicalJson(value));
  }
}

/** A double, big-endian, sign turned so that bytes order as numbers do. -0 is 0. */
function numberKey(value: number): Buffer {
  const key = Buffer.allocUnsafe(9);
  key[0] = tags.number;
  key.writeDoubleBE(value + 0, 1);
  if ((key[1] as number) < 0x80) key[1] = (key[1] as number) | 0x80;
  else for (let at = 1; at < 9; at++) key[at] = ~(key[at] as number) & 0xff;
  return key;
}

function textKey(tag: number, text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= keyPrefixBytes) return Buffer.concat([Buffer.of(tag), bytes]);
  const hash = createHash('sha256').update(bytes).digest().subarray(0, hashBytes);
  return Buffer.concat([Buffer.of(tag), bytes.subarray(0, keyPrefixBytes), hash]);
}

/** Whether a key was cut, so that others with the same prefix may belong before or behind it. */
export const isLongKey = (key: Uint8Array): boolean => key.length > longKeyPrefix;

/** Keys from `low` on and below `high`. It holds the key of every value in range, and maybe a few others. */
export interface KeyRange {
  readonly low: Buffer;
  readonly high: Buffer;
}

export const keysEqual = (key: Buffer): KeyRange => ({ low: key, high: Buffer.concat([key, Buffer.of(0)]) });

/** All keys that begin with these bytes. */
export const keysBeginning = (prefix: Buffer): KeyRange => ({ low: prefix, high: successor(prefix) });

export const keysOfType = (type: JsonType): KeyRange =>
  type === 'boolean'
    ? { low: Buffer.of(tags.boolean), high: Buffer.of(tags.boolean + 2) }
    : keysBeginning(Buffer.of(tags[type]));

/** Keys of the strings with this prefix. */
export function keysWithPrefix(prefix: string): KeyRange {
  const bytes = Buffer.from(prefix, 'utf8').subarray(0, keyPrefixBytes);
  return keysBeginning(Buffer.concat([Buffer.of(tags.string), bytes]));
}

/** Keys that cannot be told apart from this one in order: its own, or those of all long values that begin as it does. */
export function keysAlike(key: Buffer): KeyRange {
  if (!isLongKey(key)) return keysEqual(key);
  const prefix = key.subarray(0, longKeyPrefix);
  // The uncut value that is just the prefix has a key of its own, in front.
  return { low: keysEqual(prefix).high, high: keysBeginning(prefix).high };
}

/** Keys between two bounds of one type; without one of them, to that end of the type. A bound is in the range unless it is `open`. */
export function keysBetween(
  low: number | string | undefined,
  high: number | string | undefined,
  open: { readonly low?: boolean; readonly high?: boolean } = {},
): KeyRange {
  const all = keysOfType(typeof (low ?? high) === 'number' ? 'number' : 'string');
  return {
    low: low === undefined ? all.low : rangeEnd(low, 'low', open.low),
    high: high === undefined ? all.high : rangeEnd(high, 'high', open.high),
  };
}

/** What a long key cannot tell from the bound may lie on either side of it, and stays in. */
function rangeEnd(bound: number | string, end: 'low' | 'high', open = false): Buffer {
  const key = indexKey(bound);
  const alike = keysAlike(key);
  const excluded = open && !isLongKey(key);
  if (end === 'low') return excluded ? alike.high : alike.low;
  return excluded ? alike.low : alike.high;
}

/** The first key behind all that begin with `prefix`. Tags are small, so that there always is one. */
function successor(prefix: Buffer): Buffer {
  let end = prefix.length - 1;
  while (prefix[end] === 0xff) end--;
  const next = Buffer.from(prefix.subarray(0, end + 1));
  next[end] = (next[end] as number) + 1;
  return next;
}
