/**
 * A watch as the user iterates it. It begins when it is made, goes on over reconnects from the last event seen, and ends with `break`,
 * its AbortSignal, or the client. What the user has not read yet waits here up to a bound; then the server is asked to stop, and to go on
 * from there once all has been read: the log of the server is the buffer, and if that is not enough an event says `truncated`.
 */
import { TupletError } from '../shared/errors.js';
import type { Json } from '../shared/json.js';
import { limits } from '../shared/limits.js';
import type { EventType, Truncated, WatchEvent } from '../shared/operations.js';
import type { Connection } from './connection.js';
import type { EntryOf } from './space.js';

/** What happened to an entry; or `truncated`: events before this are missing, and a scan tells what there is. */
export type WatchEventOf<T> =
  | { readonly event: number; readonly type: EventType; readonly entry: EntryOf<T> }
  | Truncated;

interface Watched {
  readonly space: string;
  readonly template: Json;
  readonly after?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class Watching<T> implements AsyncIterableIterator<WatchEventOf<T>> {
  readonly #connection: Connection;
  readonly #watched: Watched;
  #events: WatchEvent[] = [];
  #after: number | undefined;
  /** Ends the stream from the server; undefined while there is none. */
  #stop: (() => void) | undefined;
  #ended: { readonly error?: TupletError } | undefined;
  #wake: (() => void) | undefined;
  readonly #onAbort = () =>
    this.#end(new TupletError('aborted', 'the watch was aborted', { cause: this.#watched.signal?.reason }));

  constructor(connection: Connection, watched: Watched) {
    this.#connection = connection;
    this.#watched = watched;
    this.#after = watched.after;
    if (watched.signal?.aborted) this.#onAbort();
    else {
      watched.signal?.addEventListener('abort', this.#onAbort, { once: true });
      this.#begin();
    }
  }

  #begin(): void {
    const { space, template } = this.#watched;
    this.#stop = this.#connection.watch({
      ...{ space, template, after: this.#after },
      show: events => this.#show(events),
      failed: error => this.#end(error),
    });
  }

  #show(events: readonly WatchEvent[]): void {
    for (const event of events) this.#events.push(event);
    this.#after = events.at(-1)?.event ?? this.#after;
    if (this.#events.length > limits.eventsKept) this.#pause();
    this.#wake?.();
  }

  #pause(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #end(error?: TupletError): void {
    if (this.#ended) return;
    this.#ended = error ? { error } : {};
    this.#pause();
    this.#watched.signal?.removeEventListener('abort', this.#onAbort);
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<WatchEventOf<T>, undefined>> {
    for (;;) {
      const event = this.#events.shift();
      if (event) return { done: false, value: event as unknown as WatchEventOf<T> };
      if (this.#ended?.error) throw this.#ended.error;
      if (this.#ended) return { done: true, value: undefined };
      if (!this.#stop) this.#begin();
      await new Promise<void>(wake => {
        this.#wake = wake;
      });
    }
  }

  async return(): Promise<IteratorResult<WatchEventOf<T>, undefined>> {
    this.#events = [];
    this.#end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
