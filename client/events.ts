/** What the client emits, and a small emitter that works in browsers too. */
import type { TupletError } from '../shared/errors.js';

export interface ClientEvents {
  /** The first connection stands. */
  connected: { readonly address: string };
  /** The connection broke; calls wait while the client looks for another. */
  suspended: { readonly reason: string };
  /** There is a connection again. */
  resumed: { readonly address: string };
  /** The client has given up: every call ends, and those to come. */
  lost: { readonly error: TupletError };
}

type Listener<T> = (event: T) => void;

export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

  on<K extends keyof Events>(event: K, listener: Listener<Events[K]>): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  emit<K extends keyof Events>(event: K, value: Events[K]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) (listener as Listener<Events[K]>)(value);
  }
}
