/** A request on its way through the engine. */
import { TupletError } from '../../shared/errors.js';
import type { Answer, Entry, Request } from '../../shared/operations.js';
import type { Template } from '../../shared/template.js';
import type { Cursor } from '../store/store.js';
import type { Waiter } from './waiters.js';

export type Result = { readonly ok: Answer } | { readonly error: TupletError };
export type Respond = (result: Result) => void;

/** Marks requests that are the same one sent again: the same `id`, told from other requests by `fingerprint`. */
export interface RequestKey {
  readonly id: string;
  readonly fingerprint: string;
}

/** See the rules of the engine. */
export type Phase = 'queued' | 'running' | 'waiting' | 'done';

export class Pending implements Waiter {
  phase: Phase = 'queued';
  /** Where its search goes on. */
  cursor: Cursor | undefined;
  /** The last number that had been given when its search began, if that takes more than one batch. */
  since: number | undefined;
  /** The last event before its scan. */
  event: number | undefined;
  /** What it has found, or counted, on the way; and how much text that is. */
  readonly entries: Entry[] = [];
  bytes = 0;
  count = 0;
  /** Its time to wait is over: it looks once more and takes what there is. */
  gaveUp = false;
  /** Who gave up while it was running: they are let go if it has to wait, or to go on. */
  readonly leaving = new Set<Respond>();
  /** Its answer came from the record. */
  replayed = false;
  /** Calls its deadline off. */
  callOff: (() => void) | undefined;
  readonly responders = new Set<Respond>();

  constructor(
    readonly request: Request,
    /** Order of arrival. */
    readonly turn: number,
    /** Monotonic milliseconds. */
    readonly arrived: number,
    readonly key: RequestKey | undefined,
  ) {}

  get template(): Template {
    if (!('template' in this.request)) throw new Error(`${this.request.op} does not wait`);
    return this.request.template;
  }

  get takes(): boolean {
    const { op } = this.request;
    return op === 'in' || op === 'take' || op === 'takeMany';
  }
}

export const keyReused = () =>
  new TupletError('key_reused', 'Idempotency-Key: came with another request before');
