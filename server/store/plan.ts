/**
 * How a search narrows: from a template and an order to an index, exact keys and a key range. Pure, the same for every store.
 *
 * Two families of indexes, each ending in the position, so that equal keys come oldest first:
 * - `leading n` (n = 0 to 4): the first n fields. Serves n exact fields, or n - 1 exact ones and a range or order on field n.
 * - `single n` (n = 2 to 4): that field alone. Serves an exact field behind one that is not.
 */
import type { Json } from '../../shared/json.js';
import type { Order } from '../../shared/operations.js';
import type { Pattern, Shape } from '../../shared/template.js';
import { indexKey, type KeyRange, keysBetween, keysEqual, keysOfType, keysWithPrefix } from './keys.js';

/** Fields that have keys. */
export const keyedFields = 4;

/** Names an index by its fields, counted from 0. */
export interface Index {
  readonly name: string;
  readonly fields: readonly number[];
}

const index = (name: string, ...fields: number[]): Index => ({ name, fields });

export const indexes: readonly Index[] = [
  index('leading_0'),
  index('leading_1', 0),
  index('leading_2', 0, 1),
  index('leading_3', 0, 1, 2),
  index('leading_4', 0, 1, 2, 3),
  index('single_2', 1),
  index('single_3', 2),
  index('single_4', 3),
];

export const leading = (count: number): Index => indexes[count] as Index;
export const single = (field: number): Index =>
  field === 0 ? leading(1) : (indexes[keyedFields + field] as Index);

/** A way through an index: all its fields are exact, save that the last may range. */
export interface Path {
  readonly index: Index;
  readonly exact: readonly Buffer[];
  readonly range?: KeyRange | undefined;
}

/** The exact value that a pattern asks for, if it does. */
const exactValue = (pattern: Pattern | undefined): { value: Json } | undefined =>
  pattern?.kind === 'literal' ? pattern : undefined;

const isExact = (pattern: Pattern | undefined): boolean => exactValue(pattern) !== undefined;

function keyOf(pattern: Pattern | undefined): Buffer {
  const exact = exactValue(pattern);
  if (!exact) throw new Error('only exact patterns have one key');
  return indexKey(exact.value);
}

/** The range of keys that a pattern leaves, if it leaves less than all. */
export function keyRange(pattern: Pattern | undefined): KeyRange | undefined {
  switch (pattern?.kind) {
    case 'prefix':
      return keysWithPrefix(pattern.prefix);
    case 'range': {
      const { gt, gte, lt, lte } = pattern.range;
      return keysBetween(gt ?? gte, lt ?? lte, { low: gt !== undefined, high: lt !== undefined });
    }
    case 'literal':
      return keysEqual(indexKey(pattern.value));
    case 'type':
      return keysOfType(
        pattern.type === 'integer' ? 'number' : (pattern.type as Parameters<typeof keysOfType>[0]),
      );
    default:
      return undefined;
  }
}

/** How many of the first fields are exact. */
export function exactLeading({ patterns }: Shape): number {
  let count = 0;
  while (count < keyedFields && isExact(patterns[count])) count++;
  return count;
}

/** The path through the leading index of the fields that are exact from the first on: maybe none of them. */
export function leadingPath(shape: Shape): Path {
  const count = exactLeading(shape);
  return { index: leading(count), exact: shape.patterns.slice(0, count).map(keyOf) };
}

/** Paths through one exact field that stands behind others that are not: each of them may be the narrowest. */
export function singlePaths(shape: Shape): Path[] {
  const paths: Path[] = [];
  for (let field = exactLeading(shape) + 1; field < keyedFields; field++) {
    const pattern = shape.patterns[field];
    if (isExact(pattern)) paths.push({ index: single(field), exact: [keyOf(pattern)] });
  }
  return paths;
}

/** The path through the range of bounds or a prefix that follows the exact fields, if there is one. */
export function rangePath(shape: Shape): Path | undefined {
  const count = exactLeading(shape);
  const pattern = shape.patterns[count];
  if (count >= keyedFields || (pattern?.kind !== 'range' && pattern?.kind !== 'prefix')) return undefined;
  return { ...leadingPath(shape), index: leading(count + 1), range: keyRange(pattern) };
}

/**
 * The path in the order of a field: behind exact leading fields it holds just these tuples, else all of the space.
 * Undefined where the field has no keys.
 */
export function orderPath(shape: Shape, order: Exclude<Order, string>): Path | undefined {
  const { field } = order;
  if (field >= keyedFields) return undefined;
  const range = keyRange(shape.patterns[field]);
  if (exactLeading(shape) < field) return { index: single(field), exact: [], range };
  return { index: leading(field + 1), exact: shape.patterns.slice(0, field).map(keyOf), range };
}
