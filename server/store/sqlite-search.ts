/**
 * Searches: the walks of a template's shapes merged into one order, each row put to `matches`, up to a limit and a budget.
 */
import type { Entry, Explanation, Order } from '../../shared/operations.js';
import { matches, type Shape, type Template } from '../../shared/template.js';
import type { Tuple } from '../../shared/tuple.js';
import { indexKey } from './keys.js';
import { exactLeading, keyedFields, leadingPath, orderPath, rangePath, singlePaths } from './plan.js';
import { boundLimit, type Row, type Rows, rowColumns, toEntry } from './sqlite-rows.js';
import {
  type Candidate,
  compareByField,
  compareCandidates,
  type FieldOrder,
  pointOf,
  type WalkStart,
  walkByField,
  walkByPosition,
} from './sqlite-walk.js';
import type { CountLookup, Cursor, Found, Lookup, Tally } from './store.js';

const nothing: Found = { entries: [], examined: 0, full: false, cursor: null };

const isAlive = (row: Row, now: number): boolean => row.expires === null || row.expires > now;

export function findMatches(rows: Rows, lookup: Lookup): Found {
  const space = rows.spaceId(lookup.space);
  if (space === undefined) return nothing;
  if (lookup.among === 'hidden') return findHidden(rows, space, lookup);
  const { order } = lookup;
  if (typeof order !== 'string' && order.field >= keyedFields) return findBest(rows, space, lookup, order);
  const harvest = new Harvest(lookup);
  const start = { rows, space, after: lookup.after, hint: Math.min(lookup.limit, lookup.budget) };
  const { examined, cursor } = visit(start, lookup, order, match => harvest.add(match));
  return { entries: harvest.entries, examined, full: harvest.full, cursor };
}

/** What a search has found, until it is full. */
class Harvest {
  readonly entries: Entry[] = [];
  full = false;
  #bytes = 0;

  constructor(readonly bounds: Pick<Lookup, 'limit' | 'bytes'>) {}

  /** Tells whether there is room for more. */
  add({ row, tuple }: Candidate): boolean {
    this.entries.push(toEntry(row, tuple));
    this.#bytes += row.body.length;
    this.full = this.entries.length >= this.bounds.limit || this.#bytes >= this.bounds.bytes;
    return !this.full;
  }
}

export function countMatches(rows: Rows, lookup: CountLookup): Tally {
  const space = rows.spaceId(lookup.space);
  if (space === undefined) return { count: 0, examined: 0, cursor: null };
  let count = 0;
  const start = { rows, space, after: lookup.after, hint: lookup.budget };
  const { examined, cursor } = visit(start, lookup, countingOrder(lookup.template), () => {
    count++;
    return true;
  });
  return { count, examined, cursor };
}

/** Any order counts the same: along a range, its own keys are the shortest way. */
function countingOrder({ shapes }: Template): Order {
  const [shape, ...others] = shapes as [Shape, ...Shape[]];
  const alongRange = others.length === 0 && rangePath(shape) && singlePaths(shape).length === 0;
  return alongRange ? { field: exactLeading(shape), dir: 'asc' } : 'oldest';
}

interface Visit {
  readonly examined: number;
  readonly cursor: Cursor | null;
}

/** Shows every match in order, until `show` has enough or the budget is spent. */
function visit(
  start: WalkStart,
  { template, budget, now }: Pick<Lookup, 'template' | 'budget' | 'now'>,
  order: Order,
  show: (match: Candidate) => boolean,
): Visit {
  let examined = 0;
  let last: Candidate | undefined;
  for (const candidate of merged(walks(start, template, order), order)) {
    // Two shapes may lead to the same row.
    if (candidate.row.id === last?.row.id) continue;
    last = candidate;
    examined++;
    const enough = isAlive(candidate.row, now) && matches(template, candidate.tuple) && !show(candidate);
    if (enough || examined >= budget) return { examined, cursor: pointOf(candidate, order) };
  }
  return { examined, cursor: null };
}

const walks = (start: WalkStart, { shapes }: Template, order: Order): Generator<Candidate>[] =>
  shapes.map(shape =>
    typeof order === 'string' ? walkByPosition(start, shape, order) : walkByField(start, shape, order),
  );

/** Several walks as one, in order. There are few: looking at each head is cheaper than a heap. */
function* merged(walks: readonly Generator<Candidate>[], order: Order): Generator<Candidate> {
  if (walks.length === 1) return yield* walks[0] as Generator<Candidate>;
  const heads = walks.map(walk => ({ walk, head: walk.next() }));
  for (;;) {
    let first: (typeof heads)[number] | undefined;
    for (const one of heads) {
      if (one.head.done) continue;
      if (!first || compareCandidates(one.head.value, first.head.value as Candidate, order) < 0) first = one;
    }
    if (!first) return;
    yield first.head.value as Candidate;
    first.head = first.walk.next();
  }
}

/** Where no index has the order: all matches in the order of positions, keeping the best, over as many calls as it takes. */
function findBest(rows: Rows, space: number, lookup: Lookup, order: FieldOrder): Found {
  const { now, after } = lookup;
  let best = after?.best && toCandidate(after.best);
  const { examined, cursor } = visit({ rows, space, after, hint: lookup.budget }, lookup, 'oldest', found => {
    if (!best || compareByField(found, best, order) < 0) best = found;
    return true;
  });
  if (cursor)
    return { ...nothing, examined, cursor: { ...cursor, best: best && toEntry(best.row, best.tuple) } };
  if (!best) return { ...nothing, examined };
  // It may have been taken since an earlier call saw it: then the next best is not known, and all begins anew.
  const row = rows.get<Row>(
    `SELECT ${rowColumns} FROM entries WHERE id = ? AND position IS NOT NULL`,
    best.row.id,
  );
  if (!row || !isAlive(row, now)) return { ...nothing, examined, cursor: { position: 0 } };
  return { entries: [toEntry(row, best.tuple)], examined, full: true, cursor: null };
}

const toCandidate = (entry: Entry): Candidate => ({
  row: { ...entry, body: '', expires: entry.expires ?? null },
  tuple: entry.tuple,
});

/** Entries that wait for their time, in the order of their ids. They are few, so the first fields narrow enough. */
function findHidden(rows: Rows, space: number, lookup: Lookup): Found {
  const [shape] = lookup.template.shapes as [Shape];
  const fixed = lookup.template.shapes.length === 1 ? Math.min(exactLeading(shape), 2) : 0;
  const keys = shape.patterns
    .slice(0, fixed)
    .map(one => (one.kind === 'literal' ? indexKey(one.value) : null));
  const found = rows.all<Row>(
    `SELECT ${rowColumns} FROM entries INDEXED BY hidden WHERE space = ?${keys.map((_, at) => ` AND k${at + 1} = ?`).join('')}
     AND position IS NULL AND id > ? ORDER BY id ${boundLimit}`,
    ...[space, ...keys, lookup.after?.position ?? 0, lookup.budget],
  );
  const harvest = new Harvest(lookup);
  let examined = 0;
  for (const row of found) {
    examined++;
    const tuple = JSON.parse(row.body) as Tuple;
    if (isAlive(row, lookup.now) && matches(lookup.template, tuple) && !harvest.add({ row, tuple })) break;
  }
  const { entries, full } = harvest;
  const last = full || examined === lookup.budget ? found[examined - 1] : undefined;
  return { entries, examined, full, cursor: last ? { position: last.id } : null };
}

/** How `findMatches` goes about a template, for the user. */
export function explainSearch({ shapes }: Template, order: Order): Explanation {
  const paths = shapes.map(shape => explainShape(shape, order));
  const scan = paths.some(path => path.scan);
  const names = [...new Set(paths.map(path => path.index))];
  const [first] = paths as [(typeof paths)[number]];
  return { ...first, order, scan, index: names.includes(null) ? null : names.join(' + ') };
}

function explainShape(shape: Shape, order: Order): Omit<Explanation, 'order'> {
  const count = exactLeading(shape);
  const exact = shape.patterns.slice(0, count).map((_, at) => at);
  const ordered = typeof order === 'string' ? undefined : orderPath(shape, order);
  if (ordered && typeof order !== 'string') {
    const fixed = count >= order.field;
    return {
      index: ordered.index.name,
      exact: fixed ? exact.slice(0, order.field) : [],
      range: order.field,
      scan: !fixed,
    };
  }
  const range = rangePath(shape);
  const singles = singlePaths(shape);
  const narrow = range ?? (count > 0 ? leadingPath(shape) : undefined);
  const paths = narrow ? [narrow, ...singles] : singles;
  return {
    index: paths.map(path => path.index.name).join(' or ') || null,
    exact: [...exact, ...singles.flatMap(path => path.index.fields)],
    range: range ? count : null,
    scan: paths.length === 0,
  };
}
