/** A server's HTTP side over a store in memory and a clock that stands still. `app.inject` asks it; a test that needs a port says why. */

import type { AddressInfo } from 'node:net';
import { connect, type Socket } from 'node:net';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { openDoor } from '../../server/auth/auth.js';
import { Engine } from '../../server/engine/engine.js';
import { type AppOptions, buildApp } from '../../server/http/app.js';
import { createMetrics } from '../../server/http/metrics.js';
import { openSqlite } from '../../server/store/sqlite.js';
import type { Store } from '../../server/store/store.js';
import type { Json } from '../../shared/json.js';
import { ManualClock } from '../support/manual-clock.js';
import { waitFor } from '../support/wait-for.js';

export type Headers = Readonly<Record<string, string>>;

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** Undefined where there is no body. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks where it likes.
  readonly body: any;
}

/** What a reply with a problem matches. */
export const bad = (status: number, code: string, field?: string) => ({
  status,
  body: { status, code, type: `urn:tuplet:error:${code}`, ...(field !== undefined && { field }) },
});

export class RestWorld implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly metrics = createMetrics();
  readonly #store: Store;
  readonly #sockets: Socket[] = [];
  readonly engine: Engine;
  app!: FastifyInstance;

  private constructor(store: Store) {
    this.#store = store;
    this.engine = new Engine({
      store,
      clock: this.clock,
      defer: task => void setImmediate(task),
      onBatch: this.metrics.onBatch,
    });
  }

  static async open(
    options: Partial<AppOptions> = {},
    store: Store = openSqlite(':memory:'),
  ): Promise<RestWorld> {
    const world = new RestWorld(store);
    world.app = await buildApp({
      engine: world.engine,
      authenticator: openDoor,
      readiness: () => null,
      metrics: world.metrics,
      ...options,
    });
    return world;
  }

  async ask(options: InjectOptions): Promise<Reply> {
    const { statusCode, headers, body } = await this.app.inject(options);
    const isJson = body !== '' && /json/.test(String(headers['content-type']));
    return { status: statusCode, headers, text: body, body: isJson ? JSON.parse(body) : undefined };
  }

  get(url: string, headers: Headers = {}): Promise<Reply> {
    return this.ask({ method: 'GET', url, headers });
  }

  /** To the space `s`, unless `op` is a path. */
  post(op: string, body: object, headers: Headers = {}): Promise<Reply> {
    const url = op.startsWith('/') ? op : `/v1/spaces/s/${op}`;
    const payload = JSON.stringify(body);
    return this.ask({
      method: 'POST',
      url,
      payload,
      headers: { 'content-type': 'application/json', ...headers },
    });
  }

  /** All tuples of a space, oldest first. */
  async tuples(space = 's'): Promise<Json[]> {
    const { body } = await this.post(`/v1/spaces/${space}/scan`, {
      template: [{ $rest: true }],
      limit: 1000,
    });
    return body.entries.map((entry: { tuple: Json }) => entry.tuple);
  }

  waiters(count: number): Promise<void> {
    return waitFor(`${count} waiters`, () => this.engine.waiting === count);
  }

  /** The server on a free port of this machine, for what only a socket shows. */
  async listen(): Promise<number> {
    if (!this.app.server.listening) await this.app.listen({ host: '127.0.0.1', port: 0 });
    return (this.app.server.address() as AddressInfo).port;
  }

  /** A bare connection, and all that it has received. */
  async dial(): Promise<{ socket: Socket; received: () => string; closed: () => boolean }> {
    const socket = connect({ host: '127.0.0.1', port: await this.listen() });
    this.#sockets.push(socket);
    let text = '';
    let closed = false;
    socket.on('data', data => {
      text += data.toString('latin1');
    });
    // The server may cut the connection while the test still writes.
    socket.on('error', () => {});
    socket.on('close', () => {
      closed = true;
    });
    return { socket, received: () => text, closed: () => closed };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.engine.drain();
    await this.app.close();
    await this.#store.close();
  }
}

/** A request as bytes of HTTP. */
export function rawPost(op: string, body: object, ...headers: string[]): string {
  const text = JSON.stringify(body);
  const head = [
    `POST /v1/spaces/s/${op} HTTP/1.1`,
    'Host: localhost',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...headers,
  ];
  return `${head.join('\r\n')}\r\n\r\n${text}`;
}
