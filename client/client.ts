/** What `connect` gives: spaces, events, and the end. */
import type { Connection } from './connection.js';
import type { ClientEvents } from './events.js';
import { Space } from './space.js';

export class Client implements AsyncDisposable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** `connecting`, `open`, `suspended`, `lost` or `closed`. */
  get state(): Connection['state'] {
    return this.#connection.state;
  }

  /** A space by name; it exists from its first use. `Row` is the union of the tuples that it holds, if you wish to say. */
  space<Row extends readonly unknown[] = readonly unknown[]>(name: string): Space<Row> {
    return new Space<Row>(this.#connection, name);
  }

  /** The spaces of the server, with the number of their tuples. */
  async spaces(): Promise<readonly { readonly space: string; readonly tuples: number }[]> {
    return (await this.#connection.request('spaces', undefined, {})).spaces;
  }

  /** Calls `listener` at each such event. Returns a function that ends that. */
  on<K extends keyof ClientEvents>(event: K, listener: (event: ClientEvents[K]) => void): () => void {
    return this.#connection.events.on(event, listener);
  }

  /** Ends the connection after the last receipt; calls under way end with `closed`. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
