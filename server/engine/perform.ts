/**
 * What each operation does, for one slice of one batch. It ends with a result, or wants to go on in a later batch (`more`), or has
 * found nothing and may wait (`wait`). It throws a TupletError only before it has written anything.
 */
import { invalid, TupletError } from '../../shared/errors.js';
import { compareJson } from '../../shared/json.js';
import { limits } from '../../shared/limits.js';
import type { Entry, Order, RequestOf } from '../../shared/operations.js';
import type { Cursor, Found } from '../store/store.js';
import type { BatchWork } from './batch-work.js';
import type { Pending, Result } from './pending.js';

export type Step = Result | 'more' | 'wait';

export async function perform(pending: Pending, work: BatchWork): Promise<Step> {
  const { request } = pending;
  switch (request.op) {
    case 'out':
      return out(request, pending, work);
    case 'outMany':
      return outMany(request, work);
    case 'in':
    case 'rd':
    case 'take':
    case 'read':
      return one(request, pending, work);
    case 'takeMany':
      return takeMany(request, pending, work);
    case 'scan':
      return scan(request, pending, work);
    case 'watch':
      return watch(request, work);
    case 'count':
      return count(request, pending, work);
    case 'explain':
      return { ok: await work.batch.explain(request.space, request.template, request.order) };
    case 'renew':
      return renew(request, work);
    case 'cancel':
      return cancel(request, work);
    case 'space':
      return space(request, work);
    case 'spaces':
      return { ok: { spaces: await work.batch.spaces() } };
  }
}

async function out(request: RequestOf<'out'>, pending: Pending, work: BatchWork): Promise<Step> {
  if (request.unless) {
    const existing = await findExisting(request, pending, work);
    if (existing === 'more') return 'more';
    if (existing !== undefined) return { ok: { created: false, existing } };
  }
  const [entry] = await put(request, [request.tuple], work);
  if (!entry) throw new Error('one tuple makes one entry');
  return { ok: { id: entry.id, position: entry.position } };
}

/** The id of an entry that `unless` matches, hidden ones included. What is put meanwhile lies ahead of the search. */
async function findExisting(
  { space, unless }: RequestOf<'out'>,
  pending: Pending,
  work: BatchWork,
): Promise<number | undefined | 'more'> {
  if (!unless) return undefined;
  const common = { space, template: unless, order: 'oldest', limit: 1 } as const;
  const visible = await work.search(pending, common);
  if (visible.entries[0]) return visible.entries[0].id;
  if (visible.cursor) return goOn(pending, visible.cursor);
  // Hidden ones come last and all in the batch that ends the search, so that none slips from one to the other unseen.
  let hidden: Found;
  pending.cursor = undefined;
  do {
    hidden = await work.search(pending, { ...common, among: 'hidden' });
    pending.cursor = hidden.cursor ?? undefined;
  } while (hidden.entries.length === 0 && hidden.cursor);
  return hidden.entries[0]?.id;
}

async function outMany(request: RequestOf<'outMany'>, work: BatchWork): Promise<Step> {
  const entries = await put(request, request.tuples, work);
  return { ok: { entries: entries.map(({ id, position }) => ({ id, position })) } };
}

/** A ttl counts from the moment in which the entry becomes visible. */
async function put(
  { space, ttl, delay = 0 }: RequestOf<'out' | 'outMany'>,
  tuples: RequestOf<'outMany'>['tuples'],
  work: BatchWork,
) {
  const visible = delay > 0 ? work.now + delay : undefined;
  const expires = ttl === undefined ? undefined : work.now + delay + ttl;
  if (visible === undefined) return work.publish(space, tuples, expires);
  work.note(visible);
  return work.batch.insert(
    space,
    tuples.map(tuple => ({ tuple, created: work.now, visible, expires })),
  );
}

type OneRequest = RequestOf<'in' | 'rd' | 'take' | 'read'>;

async function one(request: OneRequest, pending: Pending, work: BatchWork): Promise<Step> {
  const { space, template, order, timeout } = request;
  const { entries, cursor } = await work.search(pending, { space, template, order, limit: 1 });
  if (entries.length === 0 && cursor) {
    pending.since ??= await work.batch.lastNumber();
    return goOn(pending, cursor);
  }
  const entry = await orWhatCame(request, entries[0], pending, work);
  if (entry) {
    if (pending.takes) await work.take(space, [entry]);
    return { ok: entry };
  }
  return timeout === 0 || pending.gaveUp ? { ok: null } : 'wait';
}

/**
 * What came since the search began may lie behind it, unless it went from the oldest on: the first, in the order, of that and of what it
 * found. There is only so much of it, so that one batch looks at all.
 */
async function orWhatCame(
  { space, template, order }: OneRequest,
  found: Entry | undefined,
  pending: Pending,
  work: BatchWork,
): Promise<Entry | undefined> {
  if (order === 'oldest' || pending.since === undefined) return found;
  let first = found;
  let cursor: Cursor | null = { position: pending.since };
  while (cursor) {
    pending.cursor = cursor;
    const came = await work.search(pending, { space, template, order: 'oldest', limit: limits.scanEntries });
    for (const entry of came.entries) if (!first || precedes(entry, first, order)) first = entry;
    cursor = came.cursor;
  }
  return first;
}

/** Takes what the first slice with a match has: entries that are taken must be answered in the same batch. */
async function takeMany(
  { space, template, limit, timeout }: RequestOf<'takeMany'>,
  pending: Pending,
  work: BatchWork,
): Promise<Step> {
  const { entries, cursor } = await work.search(pending, { space, template, order: 'oldest', limit });
  if (entries.length > 0) {
    await work.take(space, entries);
    return { ok: { entries } };
  }
  if (cursor) return goOn(pending, cursor);
  return timeout === 0 || pending.gaveUp ? { ok: { entries: [] } } : 'wait';
}

async function scan(
  { space, template, limit, after }: RequestOf<'scan'>,
  pending: Pending,
  work: BatchWork,
): Promise<Step> {
  if (pending.event === undefined) {
    // A watch from here on misses nothing: what happens while the scan goes on is in the log, whether it is seen or not.
    pending.event = await work.retain(space);
  }
  pending.cursor ??= { position: after };
  const left = limit - pending.entries.length;
  const bytes = limits.answerBytes - pending.bytes;
  const found = await work.search(pending, { space, template, order: 'oldest', limit: left, bytes });
  pending.entries.push(...found.entries);
  const full = pending.entries.length === limit || found.full;
  if (found.cursor && !full) {
    for (const { tuple } of found.entries) pending.bytes += JSON.stringify(tuple).length;
    return goOn(pending, found.cursor);
  }
  const next = found.cursor?.position ?? null;
  return { ok: { entries: pending.entries, next, event: pending.event } };
}

/** Where a watch begins. What happens behind this batch is in the log. */
async function watch({ space, after }: RequestOf<'watch'>, work: BatchWork): Promise<Step> {
  const last = await work.retain(space);
  if (after !== undefined && after > last) throw invalid('after', `no event has the number ${after} yet`);
  return { ok: { event: after ?? last } };
}

async function count(
  { space, template }: RequestOf<'count'>,
  pending: Pending,
  work: BatchWork,
): Promise<Step> {
  const { now } = work;
  const tally = await work.batch.count({
    space,
    template,
    after: pending.cursor,
    budget: limits.sliceEntries,
    now,
  });
  work.examined += tally.examined;
  pending.count += tally.count;
  return tally.cursor ? goOn(pending, tally.cursor) : { ok: { count: pending.count } };
}

/** Whether `a` comes before `b`. Both match; the older comes first among equals. */
function precedes(a: Entry, b: Entry, order: Exclude<Order, 'oldest'>): boolean {
  const older = (a.position ?? 0) - (b.position ?? 0);
  if (order === 'newest') return older > 0;
  const [left, right] = [a.tuple[order.field], b.tuple[order.field]];
  if (left === undefined || right === undefined) {
    return (Number(left === undefined) - Number(right === undefined) || older) < 0;
  }
  const byValue = compareJson(left, right);
  return ((order.dir === 'asc' ? byValue : -byValue) || older) < 0;
}

function goOn(pending: Pending, cursor: Cursor): 'more' {
  pending.cursor = cursor;
  return 'more';
}

async function renew({ space, id, ttl }: RequestOf<'renew'>, work: BatchWork): Promise<Step> {
  const expires = work.now + ttl;
  const numeric = entryId(id);
  if (!(await work.batch.renew(space, numeric, expires, work.now))) throw notFound(id);
  work.note(expires);
  return { ok: { id: numeric, expires } };
}

async function cancel({ space, id }: RequestOf<'cancel'>, work: BatchWork): Promise<Step> {
  const numeric = entryId(id);
  const entry = work.events.keeps(space) ? await work.batch.entry(space, numeric, work.now) : null;
  if (!(await work.batch.remove(space, numeric, work.now))) throw notFound(id);
  // Nobody has seen what was still hidden.
  if (entry && entry.position !== null) await work.happened(space, 'cancelled', entry);
  return { ok: { id: numeric } };
}

function entryId(id: number | string): number {
  const numeric = Number(id);
  if (!Number.isSafeInteger(numeric)) throw notFound(id);
  return numeric;
}

const notFound = (id: number | string) => new TupletError('not_found', `id: no entry ${id} in this space`);

async function space({ space }: RequestOf<'space'>, work: BatchWork): Promise<Step> {
  const tuples = await work.batch.size(space);
  return {
    ok: { space, tuples, waiters: work.waiters.count(space), watches: work.events.count(space), holds: 0 },
  };
}
