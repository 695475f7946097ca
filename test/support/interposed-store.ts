/** A store whose every call first asks `before(method)`, which may hold it back (by a promise) or fail it (by a throw). */
import type { Batch, MaybePromise, Store } from '../../server/store/store.js';

export type Before = (method: keyof Batch | keyof Store) => MaybePromise<void>;

export const interpose = (store: Store, before: Before): Store => through(store, before);

function through<T extends object>(target: T, before: Before): T {
  return new Proxy(target, {
    get(_, name) {
      const method: unknown = Reflect.get(target, name, target);
      if (typeof method !== 'function') return method;
      return async (...values: unknown[]) => {
        await before(name as keyof Batch);
        const result: unknown = await method.apply(target, values);
        return name === 'begin' ? through(result as object, before) : result;
      };
    },
  });
}

/** A door that a test opens, or that lets nobody through. */
export class Gate {
  #open!: () => void;
  #bar!: (error: unknown) => void;
  readonly passed = new Promise<void>((resolve, reject) => {
    this.#open = resolve;
    this.#bar = reject;
  });

  open(): void {
    this.#open();
  }

  bar(error: unknown): void {
    this.#bar(error);
  }
}
