/** A named space, as the user's program sees it. */
import { TupletError } from '../shared/errors.js';
import type { Json } from '../shared/json.js';
import { limits } from '../shared/limits.js';
import type { Entry, Explanation, Order, SpaceState } from '../shared/operations.js';
import { checkJson, utf8Bytes } from '../shared/tuple.js';
import type { Connection } from './connection.js';
import { type Data, encodeTemplate, type RowOf, type TemplateLike } from './formals.js';
import { Watching } from './watching.js';

/** Milliseconds all. */
export interface OutOptions {
  /** The entry ends so long after it became visible. */
  readonly ttl?: number;
  /** The entry becomes visible so much later. */
  readonly delay?: number;
  readonly signal?: AbortSignal;
}

export interface WaitOptions {
  /** Milliseconds to wait. */
  readonly timeout?: number;
  /** Which of the matches: `oldest` (default), `newest`, or the first by a field (counted from 0). */
  readonly order?: 'oldest' | 'newest' | { readonly field: number; readonly dir?: 'asc' | 'desc' };
  readonly signal?: AbortSignal;
}
/** With `entry: true` the answer is the entry: the tuple with its id, position and times. */
export interface EntryOption {
  readonly entry: true;
}

export interface OutAnswer {
  readonly id: number;
  /** Null while the entry is delayed. */
  readonly position: number | null;
}
export interface Unmade {
  readonly created: false;
  /** Id of the entry that was there. */
  readonly existing: number;
}

/** An entry whose tuple has a known type. */
export type EntryOf<T> = Omit<Entry, 'tuple'> & { readonly tuple: T };

export interface ScanPage<T> {
  readonly entries: readonly EntryOf<T>[];
  /** Give it as `after` to go on; null at the end. */
  readonly next: number | null;
  readonly event: number;
}

export class Space<Row extends readonly unknown[] = readonly unknown[]> {
  readonly #connection: Connection;
  readonly name: string;

  constructor(connection: Connection, name: string) {
    this.#connection = connection;
    this.name = name;
  }

  /** Puts a tuple. With `unless`, only if nothing matches that template. */
  out<const T extends Row>(
    tuple: T & Data<T>,
    options: OutOptions & { readonly unless: TemplateLike },
  ): Promise<OutAnswer | Unmade>;
  out<const T extends Row>(tuple: T & Data<T>, options?: OutOptions): Promise<OutAnswer>;
  async out(
    tuple: readonly unknown[],
    { signal, unless, ...options }: OutOptions & { unless?: TemplateLike } = {},
  ): Promise<OutAnswer | Unmade> {
    const args = unless === undefined ? options : { ...options, unless: encodeTemplate(unless) };
    return this.#connection.request('out', this.name, { tuple: checked(tuple, 'tuple'), ...args }, signal);
  }

  /** Puts many tuples, all or none, and gives their ids. */
  async outMany<const T extends Row>(
    tuples: readonly (T & Data<T>)[],
    { signal, ...options }: OutOptions = {},
  ): Promise<number[]> {
    const args = { tuples: tuples.map((tuple, at) => checked(tuple, `tuples[${at}]`)), ...options };
    const bytes = utf8Bytes(JSON.stringify(args));
    if (bytes > limits.outManyBytes) {
      const message = `tuples: ${bytes} bytes together, at most ${limits.outManyBytes}: put them in several calls`;
      throw new TupletError('too_large', message, { field: 'tuples' });
    }
    const { entries } = await this.#connection.request('outMany', this.name, args, signal);
    return entries.map(({ id }) => id);
  }

  /** Waits for a match and removes it. Without a timeout it waits for ever; at its end it throws `timeout`. */
  in<const T extends TemplateLike>(
    template: T,
    options: WaitOptions & EntryOption,
  ): Promise<EntryOf<RowOf<Row, T>>>;
  in<const T extends TemplateLike>(template: T, options?: WaitOptions): Promise<RowOf<Row, T>>;
  in(template: TemplateLike, options: WaitOptions & Partial<EntryOption> = {}): Promise<unknown> {
    return this.#wait('in', template, options);
  }

  /** Waits for a match and leaves it. Without a timeout it waits for ever; at its end it throws `timeout`. */
  rd<const T extends TemplateLike>(
    template: T,
    options: WaitOptions & EntryOption,
  ): Promise<EntryOf<RowOf<Row, T>>>;
  rd<const T extends TemplateLike>(template: T, options?: WaitOptions): Promise<RowOf<Row, T>>;
  rd(template: TemplateLike, options: WaitOptions & Partial<EntryOption> = {}): Promise<unknown> {
    return this.#wait('rd', template, options);
  }

  /** Removes a match if there is one, or comes within the timeout (default 0). */
  take<const T extends TemplateLike>(
    template: T,
    options: WaitOptions & EntryOption,
  ): Promise<EntryOf<RowOf<Row, T>> | null>;
  take<const T extends TemplateLike>(template: T, options?: WaitOptions): Promise<RowOf<Row, T> | null>;
  take(template: TemplateLike, options: WaitOptions & Partial<EntryOption> = {}): Promise<unknown> {
    return this.#look('take', template, options);
  }

  /** Gives a match if there is one, or comes within the timeout (default 0). */
  read<const T extends TemplateLike>(
    template: T,
    options: WaitOptions & EntryOption,
  ): Promise<EntryOf<RowOf<Row, T>> | null>;
  read<const T extends TemplateLike>(template: T, options?: WaitOptions): Promise<RowOf<Row, T> | null>;
  read(template: TemplateLike, options: WaitOptions & Partial<EntryOption> = {}): Promise<unknown> {
    return this.#look('read', template, options);
  }

  async #look(
    op: 'in' | 'rd' | 'take' | 'read',
    template: TemplateLike,
    { entry, signal, ...options }: WaitOptions & Partial<EntryOption>,
  ): Promise<unknown> {
    const args = { template: encodeTemplate(template), ...options };
    const found = await this.#connection.request(op, this.name, args, signal);
    return entry || found === null ? found : found.tuple;
  }

  async #wait(
    op: 'in' | 'rd',
    template: TemplateLike,
    options: WaitOptions & Partial<EntryOption>,
  ): Promise<unknown> {
    const found = await this.#look(op, template, options);
    if (found === null) throw new TupletError('timeout', `no match came within ${options.timeout} ms`);
    return found;
  }

  /** Removes the oldest matches, up to `limit` (default 100); waits up to `timeout` (default 0) for the first. */
  async takeMany<const T extends TemplateLike>(
    template: T,
    {
      signal,
      ...options
    }: { readonly limit?: number; readonly timeout?: number; readonly signal?: AbortSignal } = {},
  ): Promise<RowOf<Row, T>[]> {
    const args = { template: encodeTemplate(template), ...options };
    const { entries } = await this.#connection.request('takeMany', this.name, args, signal);
    return entries.map(({ tuple }) => tuple as unknown as RowOf<Row, T>);
  }

  /** Matches in order: awaited, one page of up to `limit` (default 100); iterated, all of them, page by page. */
  scan<const T extends TemplateLike>(
    template: T,
    {
      signal,
      ...options
    }: { readonly limit?: number; readonly after?: number; readonly signal?: AbortSignal } = {},
  ): Scan<RowOf<Row, T>> {
    const encoded = encodeTemplate(template);
    return new Scan(async after => {
      const args = { template: encoded, ...options, ...(after !== undefined && { after }) };
      return (await this.#connection.request('scan', this.name, args, signal)) as unknown as ScanPage<
        RowOf<Row, T>
      >;
    });
  }

  /**
   * What happens to tuples that match, from now on, or from an `event` on: that of a `scan` misses nothing. An async iterable; its watch
   * begins at once.
   */
  watch<const T extends TemplateLike>(
    template: T,
    { after, signal }: { readonly after?: number; readonly signal?: AbortSignal } = {},
  ): Watching<RowOf<Row, T>> {
    return new Watching(this.#connection, {
      space: this.name,
      template: encodeTemplate(template),
      after,
      signal,
    });
  }

  /** How many tuples match. */
  async count(template: TemplateLike, { signal }: { readonly signal?: AbortSignal } = {}): Promise<number> {
    const args = { template: encodeTemplate(template) };
    return (await this.#connection.request('count', this.name, args, signal)).count;
  }

  /** Which index a search would use. */
  explain(template: TemplateLike, { order }: { readonly order?: Order } = {}): Promise<Explanation> {
    const args = { template: encodeTemplate(template), ...(order && { order }) };
    return this.#connection.request('explain', this.name, args);
  }

  /** Lets an entry end `ttl` ms from now. False if there is no such entry any more. */
  renew(id: number, ttl: number): Promise<boolean> {
    return found(this.#connection.request('renew', this.name, { id, ttl }));
  }

  /** Removes an entry by its id, delayed ones too. False if there is no such entry any more. */
  cancel(id: number): Promise<boolean> {
    return found(this.#connection.request('cancel', this.name, { id }));
  }

  /** How many tuples and waiters there are. */
  state(): Promise<SpaceState> {
    return this.#connection.request('space', this.name, {});
  }
}

/** What `scan` gives: await it for a page, iterate it for all. */
export class Scan<T> implements PromiseLike<ScanPage<T>>, AsyncIterable<EntryOf<T>> {
  readonly #page: (after?: number) => Promise<ScanPage<T>>;

  constructor(page: (after?: number) => Promise<ScanPage<T>>) {
    this.#page = page;
  }

  then<A = ScanPage<T>, B = never>(
    onPage?: ((page: ScanPage<T>) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#page().then(onPage, onError);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EntryOf<T>, void, undefined> {
    let page = await this.#page();
    for (;;) {
      yield* page.entries;
      if (page.next === null) return;
      page = await this.#page(page.next);
    }
  }
}

function checked(tuple: readonly unknown[], field: string): Json {
  checkJson(tuple, field, limits.tupleDepth);
  return tuple;
}

async function found(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    if (error instanceof TupletError && error.code === 'not_found') return false;
    throw error;
  }
}
