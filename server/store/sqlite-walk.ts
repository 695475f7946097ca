/**
 * Walks: rows in an order, one index path at a time, fetched in chunks as they are asked for. A walk narrows and orders; whether a row
 * matches is for others to say. Nothing is kept between batches: a walk starts behind a cursor.
 */
import { compareJson, type Json } from '../../shared/json.js';
import type { Order } from '../../shared/operations.js';
import type { Shape } from '../../shared/template.js';
import type { Tuple } from '../../shared/tuple.js';
import { indexKey, isLongKey, type KeyRange, keysAlike } from './keys.js';
import { leadingPath, orderPath, type Path, rangePath, singlePaths } from './plan.js';
import { boundLimit, type Row, type Rows, rowColumns } from './sqlite-rows.js';
import type { Cursor } from './store.js';

export type FieldOrder = Exclude<Order, string>;

export interface Candidate {
  readonly row: Row;
  readonly tuple: Tuple;
}

const largestChunk = 256;
/** So many rows are tried along the path that looks best, before a closer look. */
const triedAtFirst = 64;
/** Paths are compared up to so many rows: at first, and before a long walk. */
const probedAtFirst = 64;
const probedAtMost = 4_096;

const parse = (row: Row): Candidate => ({ row, tuple: JSON.parse(row.body) as Tuple });

/** The WHERE of a path's exact fields, with its values. */
function exactly(space: number, { index, exact }: Path): { where: string; values: unknown[] } {
  const keys = exact.map((_, at) => ` AND k${(index.fields[at] as number) + 1} = ?`);
  return { where: `space = ?${keys.join('')}`, values: [space, ...exact] };
}

/** The same with its range. */
function within(space: number, path: Path): { where: string; values: unknown[] } {
  const { where, values } = exactly(space, path);
  if (!path.range) return { where, values };
  const ranged = `k${(path.index.fields.at(-1) as number) + 1}`;
  const { low, high } = path.range;
  return { where: `${where} AND ${ranged} >= ? AND ${ranged} < ?`, values: [...values, low, high] };
}

/** Grows the chunks of a walk: the first match is often the first row. */
function* chunks<T>(first: number, fetch: (size: number) => readonly T[]): Generator<T> {
  for (let size = Math.min(first, largestChunk); ; size = Math.min(size * 4, largestChunk)) {
    const chunk = fetch(size);
    yield* chunk;
    if (chunk.length < size) return;
  }
}

export interface WalkStart {
  readonly rows: Rows;
  readonly space: number;
  readonly after: Cursor | undefined;
  /** How many rows are likely to be asked for. */
  readonly hint: number;
}

/** Oldest or newest first. */
export function* walkByPosition(
  start: WalkStart,
  shape: Shape,
  order: 'oldest' | 'newest',
): Generator<Candidate> {
  const [leading, range, singles] = [leadingPath(shape), rangePath(shape), singlePaths(shape)];
  if (!range && singles.length === 0) return yield* byPosition(start, leading, order);
  const exact = leading.exact.length > 0 ? [leading] : [];
  // A range must be sorted by position: that pays only where the first rows do not do.
  const first = singles.length > 0 ? [...exact, ...singles] : [leading];
  let { after } = start;
  let tried = 0;
  for (const candidate of byPosition(start, narrowest(start, first, probedAtFirst), order)) {
    yield candidate;
    after = { position: candidate.row.position as number };
    if (++tried === triedAtFirst) break;
  }
  if (tried < triedAtFirst) return;
  const narrow = [...(range ? [range] : exact), ...singles];
  yield* byPosition({ ...start, after }, narrowest(start, narrow, probedAtMost), order);
}

/** The path with the fewest rows; where all have more than `most`, the first. */
function narrowest({ rows, space }: WalkStart, paths: readonly Path[], most: number): Path {
  let best = paths[0] as Path;
  for (let size = probedAtFirst; paths.length > 1 && size <= most; size *= 4) {
    let fewest = size;
    for (const path of paths) {
      const count = probe(rows, space, path, size);
      if (count < fewest) [best, fewest] = [path, count];
    }
    if (fewest < size) break;
  }
  return best;
}

function probe(rows: Rows, space: number, path: Path, most: number): number {
  const { where, values } = within(space, path);
  const counted = rows.get<{ count: number }>(
    `SELECT count(*) AS count FROM (SELECT 1 FROM entries INDEXED BY ${rows.need(path.index)}
     WHERE ${where} AND position IS NOT NULL LIMIT ${most})`,
    ...values,
  );
  return counted?.count ?? 0;
}

function* byPosition(
  { rows, space, after, hint }: WalkStart,
  path: Path,
  order: 'oldest' | 'newest',
): Generator<Candidate> {
  const { where, values } = within(space, path);
  const [sign, direction] = order === 'oldest' ? ['>', 'ASC'] : ['<', 'DESC'];
  let position = after?.position ?? (order === 'oldest' ? 0 : Number.MAX_SAFE_INTEGER);
  const from = `FROM entries INDEXED BY ${rows.need(path.index)} WHERE ${where} AND position ${sign} ?
    ORDER BY position ${direction} ${boundLimit}`;
  // A range comes in the order of its keys: sort ids, which the index has, and fetch only the bodies that are wanted.
  const sql = path.range
    ? `SELECT ${rowColumns} FROM entries WHERE id IN (SELECT id ${from}) ORDER BY position ${direction}`
    : `SELECT ${rowColumns} ${from}`;
  const fetch = (size: number) => {
    const chunk = rows.all<Row>(sql, ...values, position, size);
    position = chunk.at(-1)?.position ?? position;
    return chunk;
  };
  for (const row of chunks(path.range ? largestChunk : hint, fetch)) yield parse(row);
}

/** In the order of a field, equal values oldest first; tuples without that field come last. */
export function* walkByField(start: WalkStart, shape: Shape, order: FieldOrder): Generator<Candidate> {
  const path = orderPath(shape, order);
  if (!path) throw new Error('a field without keys has no walk');
  const walk = new FieldWalk(start, path, order);
  const asked = shape.patterns.length > order.field;
  const { after } = start;
  if ((asked || shape.rest) && (after === undefined || after.value !== undefined)) yield* walk.values();
  if (!asked) yield* walk.absent();
}

/** A walk through groups of rows whose keys are equal, or begin alike and are too long to tell. */
class FieldWalk {
  readonly #start: WalkStart;
  readonly #order: FieldOrder;
  readonly #column: string;
  readonly #from: string;
  readonly #values: unknown[];
  /** Keys that are still to be walked. */
  #left: KeyRange;

  constructor(start: WalkStart, path: Path, order: FieldOrder) {
    const { where, values } = exactly(start.space, path);
    this.#start = start;
    this.#order = order;
    this.#column = `k${order.field + 1}`;
    this.#from = `FROM entries INDEXED BY ${start.rows.need(path.index)} WHERE ${where} AND position IS NOT NULL`;
    this.#values = values;
    this.#left = path.range ?? { low: Buffer.of(0), high: Buffer.of(0xff) };
  }

  *values(): Generator<Candidate> {
    const { after } = this.#start;
    if (after?.value !== undefined) {
      const key = indexKey(after.value);
      // The walk of another shape may have come to a key that is out of range here.
      if (overlap(keysAlike(key), this.#left)) yield* this.#group(key, after);
      this.#pass(keysAlike(key));
    }
    for (let key = this.#nextKey(); key; key = this.#nextKey()) {
      yield* this.#group(key, undefined);
      this.#pass(keysAlike(key));
    }
  }

  /** Leaves what lies behind these keys. */
  #pass(group: KeyRange): void {
    const { low, high } = this.#left;
    this.#left =
      this.#order.dir === 'asc'
        ? { low: later(low, group.high), high }
        : { low, high: earlier(high, group.low) };
  }

  *absent(): Generator<Candidate> {
    const { after } = this.#start;
    yield* this.#rows(`${this.#column} IS NULL`, [], after && after.value === undefined ? after.position : 0);
  }

  #nextKey(): Buffer | undefined {
    const { low, high } = this.#left;
    const found = this.#start.rows.get<{ key: Buffer }>(
      `SELECT ${this.#column} AS key ${this.#from} AND ${this.#column} >= ? AND ${this.#column} < ?
       ORDER BY ${this.#column} ${this.#order.dir} LIMIT 1`,
      ...this.#values,
      low,
      high,
    );
    return found?.key;
  }

  #group(key: Buffer, point: Cursor | undefined): Iterable<Candidate> {
    if (isLongKey(key)) return this.#longGroup(keysAlike(key), point);
    return this.#rows(`${this.#column} = ?`, [key], point?.position ?? 0);
  }

  *#rows(condition: string, keys: readonly Buffer[], from: number): Generator<Candidate> {
    let position = from;
    const sql = `SELECT ${rowColumns} ${this.#from} AND ${condition} AND position > ? ORDER BY position ${boundLimit}`;
    const fetch = (size: number) => {
      const chunk = this.#start.rows.all<Row>(sql, ...this.#values, ...keys, position, size);
      position = chunk.at(-1)?.position ?? position;
      return chunk;
    };
    for (const row of chunks(this.#start.hint, fetch)) yield parse(row);
  }

  #longGroup({ low, high }: KeyRange, point: Cursor | undefined): Candidate[] {
    const rows = this.#start.rows.all<Row>(
      `SELECT ${rowColumns} ${this.#from} AND ${this.#column} >= ? AND ${this.#column} < ?`,
      ...this.#values,
      low,
      high,
    );
    const sorted = rows.map(parse).sort((a, b) => compareByField(a, b, this.#order));
    return point ? sorted.filter(candidate => comparePoint(candidate, point, this.#order) > 0) : sorted;
  }
}

const overlap = (a: KeyRange, b: KeyRange): boolean =>
  Buffer.compare(a.low, b.high) < 0 && Buffer.compare(b.low, a.high) < 0;
const later = (a: Buffer, b: Buffer): Buffer => (Buffer.compare(a, b) < 0 ? b : a);
const earlier = (a: Buffer, b: Buffer): Buffer => (Buffer.compare(a, b) < 0 ? a : b);

export const pointOf = ({ row, tuple }: Candidate, order: Order): Cursor =>
  typeof order === 'string'
    ? { position: row.position as number }
    : { position: row.position as number, value: tuple[order.field] };

/** The order in which rows are found. */
export function compareCandidates(a: Candidate, b: Candidate, order: Order): number {
  if (typeof order !== 'string') return compareByField(a, b, order);
  const difference = (a.row.position as number) - (b.row.position as number);
  return order === 'oldest' ? difference : -difference;
}

export const compareByField = (a: Candidate, b: Candidate, order: FieldOrder): number =>
  comparePoint(a, pointOf(b, order), order);

function comparePoint({ row, tuple }: Candidate, point: Cursor, { field, dir }: FieldOrder): number {
  const [left, right] = [tuple[field], point.value];
  if (left === undefined || right === undefined) {
    return (
      Number(left === undefined) - Number(right === undefined) || (row.position as number) - point.position
    );
  }
  const byValue = compareJson(left as Json, right as Json);
  return (dir === 'asc' ? byValue : -byValue) || (row.position as number) - point.position;
}
