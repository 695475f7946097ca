/**
 * The engine as one might write it on a page: lists, filters and sorts, no store, no index. It works off one batch at a time, and its
 * clock goes from event to event. Answers come out under the number of the request.
 */
import { compareJson } from '../../shared/json.js';
import type { Answer, Entry, Order, Request, RequestOf } from '../../shared/operations.js';
import { matches, type Template } from '../../shared/template.js';
import type { Tuple } from '../../shared/tuple.js';

/** An error code, or what the engine answers. */
export type ModelAnswer = { readonly ok: Answer } | { readonly error: string };

interface Kept extends Entry {
  readonly space: string;
  /** When it becomes visible; until then its position is null. */
  readonly visible: number;
}

type Looking = RequestOf<'in' | 'rd' | 'take' | 'read' | 'takeMany'>;

interface Waiting {
  readonly turn: number;
  readonly request: Looking;
  readonly deadline: number;
}

const isTaking = ({ op }: Request): boolean => op === 'in' || op === 'take' || op === 'takeMany';

export class Model {
  readonly answers = new Map<number, ModelAnswer>();
  #entries: Kept[] = [];
  #waiting: Waiting[] = [];
  #topUps: { waiting: Waiting; first: Entry }[] = [];
  #last = 0;

  /** `offset`: wall time at monotonic zero. */
  constructor(
    private now: number,
    private readonly offset: number,
  ) {}

  get wall(): number {
    return this.now + this.offset;
  }

  batch(requests: readonly (readonly [turn: number, request: Request])[]): void {
    for (const [turn, request] of requests) this.#do(turn, request);
    this.#endBatch();
  }

  abandon(turn: number): void {
    if (this.answers.has(turn)) return;
    this.#waiting = this.#waiting.filter(one => one.turn !== turn);
    this.answers.set(turn, { error: 'aborted' });
  }

  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const times = [
        ...this.#waiting.map(({ deadline }) => deadline),
        ...this.#entries
          .filter(({ position }) => position === null)
          .map(({ visible }) => visible - this.offset),
      ];
      const next = Math.min(...times);
      if (next > end) break;
      this.now = Math.max(next, this.now);
      this.#timeOut();
      this.#ripen();
    }
    this.now = end;
  }

  #timeOut(): void {
    const late = this.#waiting.filter(({ deadline }) => deadline <= this.now);
    this.#waiting = this.#waiting.filter(({ deadline }) => deadline > this.now);
    for (const { turn, request } of late) {
      this.answers.set(turn, { ok: request.op === 'takeMany' ? { entries: [] } : null });
    }
  }

  #ripen(): void {
    const ripe = this.#alive()
      .filter(({ position, visible }) => position === null && visible <= this.wall)
      .sort((a, b) => a.visible - b.visible || a.id - b.id);
    const shown = ripe.map(entry => ({ ...entry, position: ++this.#last }));
    this.#entries = this.#entries.filter(entry => entry.position !== null || entry.visible > this.wall);
    this.#entries.push(...shown);
    for (const entry of shown) if (this.#offer(entry)) this.#remove(entry);
    this.#endBatch();
  }

  #endBatch(): void {
    for (const { waiting, first } of this.#topUps.splice(0)) {
      const { space, template, limit } = waiting.request as RequestOf<'takeMany'>;
      const more = this.#matching(space, template, 'oldest').slice(0, limit - 1);
      for (const entry of more) this.#remove(entry);
      this.answers.set(waiting.turn, { ok: { entries: [first, ...more].map(plain) } });
    }
  }

  #do(turn: number, request: Request): void {
    const answer = this.#answer(turn, request);
    if (answer) this.answers.set(turn, answer);
  }

  #answer(turn: number, request: Request): ModelAnswer | undefined {
    switch (request.op) {
      case 'out':
        return { ok: this.#out(request) };
      case 'outMany': {
        const { space, ttl, delay } = request;
        const entries = request.tuples.map(({ tuple }) => this.#put({ space, tuple, ttl, delay }));
        return { ok: { entries: entries.map(({ id, position }) => ({ id, position })) } };
      }
      case 'in':
      case 'rd':
      case 'take':
      case 'read':
      case 'takeMany':
        return this.#look(turn, request);
      case 'scan': {
        const { space, template, limit, after } = request;
        const entries = this.#matching(space, template, 'oldest')
          .filter(({ position }) => (position as number) > after)
          .slice(0, limit)
          .map(plain);
        const next = entries.length === limit ? (entries.at(-1)?.position ?? null) : null;
        return { ok: { entries, next, event: 0 } };
      }
      case 'count':
        return { ok: { count: this.#matching(request.space, request.template, 'oldest').length } };
      case 'renew':
      case 'cancel':
        return this.#change(request);
      case 'space': {
        const here = (one: { space: string }) => one.space === request.space;
        const tuples = this.#alive().filter(entry => here(entry) && entry.position !== null).length;
        const waiters = this.#waiting.filter(one => here(one.request)).length;
        return { ok: { space: request.space, tuples, waiters, watches: 0, holds: 0 } };
      }
      case 'explain':
      case 'watch':
      case 'spaces':
        throw new Error(`the model has no ${request.op}`);
    }
  }

  #out({ space, tuple: { tuple }, ttl, delay, unless }: RequestOf<'out'>): Answer {
    const here = this.#alive().filter(
      entry => unless && entry.space === space && matches(unless, entry.tuple),
    );
    const [existing] = here.sort(
      (a, b) =>
        (a.position ?? Number.POSITIVE_INFINITY) - (b.position ?? Number.POSITIVE_INFINITY) || a.id - b.id,
    );
    if (existing) return { created: false, existing: existing.id };
    const { id, position } = this.#put({ space, tuple, ttl, delay });
    return { id, position };
  }

  #put(put: { space: string; tuple: Tuple; ttl?: number | undefined; delay?: number | undefined }): Entry {
    const { space, tuple, ttl, delay = 0 } = put;
    const id = ++this.#last;
    const visible = this.wall + delay;
    const expires = ttl === undefined ? {} : { expires: visible + ttl };
    const entry = { id, position: delay > 0 ? null : id, tuple, returns: 0, created: this.wall, ...expires };
    const kept = { ...entry, space, visible };
    if (delay > 0 || !this.#offer(kept)) this.#entries.push(kept);
    return entry;
  }

  /** Serves the readers, then the oldest taker; tells whether it was taken. */
  #offer(entry: Kept): boolean {
    const wanting = this.#waiting
      .filter(({ request }) => request.space === entry.space && matches(request.template, entry.tuple))
      .sort((a, b) => a.turn - b.turn);
    const readers = wanting.filter(({ request }) => !isTaking(request));
    const taker = wanting.find(({ request }) => isTaking(request));
    const served = taker ? [...readers, taker] : readers;
    this.#waiting = this.#waiting.filter(one => !served.includes(one));
    for (const waiting of served) {
      if (waiting.request.op === 'takeMany') this.#topUps.push({ waiting, first: entry });
      else this.answers.set(waiting.turn, { ok: plain(entry) });
    }
    return taker !== undefined;
  }

  #look(turn: number, request: Looking): ModelAnswer | undefined {
    const many = request.op === 'takeMany';
    const order = many ? 'oldest' : request.order;
    const found = this.#matching(request.space, request.template, order).slice(0, many ? request.limit : 1);
    if (isTaking(request)) for (const entry of found) this.#remove(entry);
    if (found.length > 0) return { ok: many ? { entries: found.map(plain) } : plain(found[0] as Kept) };
    if (request.timeout === 0) return { ok: many ? { entries: [] } : null };
    this.#waiting.push({ turn, request, deadline: this.now + (request.timeout ?? Number.POSITIVE_INFINITY) });
    return undefined;
  }

  #change(request: RequestOf<'renew' | 'cancel'>): ModelAnswer {
    const entry = this.#alive().find(({ id, space }) => id === request.id && space === request.space);
    if (!entry) return { error: 'not_found' };
    this.#remove(entry);
    if (request.op === 'cancel') return { ok: { id: entry.id } };
    const expires = this.wall + request.ttl;
    this.#entries.push({ ...entry, expires });
    return { ok: { id: entry.id, expires } };
  }

  #remove({ id }: Entry): void {
    this.#entries = this.#entries.filter(entry => entry.id !== id);
  }

  #alive(): Kept[] {
    return this.#entries.filter(({ expires }) => expires === undefined || expires > this.wall);
  }

  #matching(space: string, template: Template, order: Order): Kept[] {
    return this.#alive()
      .filter(entry => entry.space === space && entry.position !== null && matches(template, entry.tuple))
      .sort((a, b) => compare(a, b, order));
  }
}

function compare(a: Entry, b: Entry, order: Order): number {
  const byPosition = (a.position as number) - (b.position as number);
  if (typeof order === 'string') return order === 'oldest' ? byPosition : -byPosition;
  const [left, right] = [a.tuple[order.field], b.tuple[order.field]];
  if (left === undefined || right === undefined) {
    return Number(left === undefined) - Number(right === undefined) || byPosition;
  }
  return (order.dir === 'asc' ? 1 : -1) * compareJson(left, right) || byPosition;
}

function plain({ id, position, tuple, returns, created, expires }: Entry): Entry {
  const entry = { id, position, tuple, returns, created };
  return expires === undefined ? entry : { ...entry, expires };
}
