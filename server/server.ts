/** The composition root: a store, an engine, and the rim of transports around it, as one thing that starts and stops. */
import type { FastifyServerOptions } from 'fastify';
import { systemClock } from '../shared/clock.js';
import { TupletError } from '../shared/errors.js';
import { limits } from '../shared/limits.js';
import { openDoor, sharedToken } from './auth/auth.js';
import { Conversation } from './conversation.js';
import { Deadlines } from './engine/deadlines.js';
import { Engine } from './engine/engine.js';
import { buildApp } from './http/app.js';
import { createMetrics } from './http/metrics.js';
import { openStore } from './store/open.js';
import { webSocketTransport } from './transports/websocket.js';

export { TupletError } from '../shared/errors.js';

export interface ServerOptions {
  /** `sqlite:FILE` or `memory:`. Default `sqlite:tuplet.db`. */
  readonly store?: string;
  /** Default 127.0.0.1: reachable from this machine only. */
  readonly host?: string;
  /** Default 7070; 0 takes a free one. */
  readonly port?: number;
  /** What clients must show. Without one, everybody who reaches the port is let in. */
  readonly token?: string | undefined;
  /** Fastify's logger. Default: none. */
  readonly logger?: FastifyServerOptions['logger'];
}

export interface TupletServer {
  /** `http://host:port`; the same with `ws:` for the SDK. */
  readonly url: string;
  /** Resolves with the error if the storage fails; the server has then answered everybody and stopped. */
  readonly failed: Promise<unknown>;
  /** Drains and stops: running requests are answered, waiting ones are told to come back. */
  close(): Promise<void>;
}

/** Starts a server. Rejects with a TupletError that says what is wrong with the store or the address. */
export async function startServer(options: ServerOptions = {}): Promise<TupletServer> {
  const { host = '127.0.0.1', port = 7070, token } = options;
  const store = await openStore(options.store ?? 'sqlite:tuplet.db');
  const metrics = createMetrics();
  const clock = systemClock;
  const deadlines = new Deadlines(clock);
  const conversations = new Set<Conversation>();
  const authenticator = token === undefined ? openDoor : sharedToken(token);
  let notReady: string | null = null;
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<unknown>(resolve => {
    fail = resolve;
  });
  const engine = new Engine({
    store,
    clock,
    defer: task => void setImmediate(task),
    onBatch: metrics.onBatch,
    onFault: error => {
      notReady = 'the storage failed';
      fail(error);
    },
  });
  const app = await buildApp({
    engine,
    authenticator,
    metrics,
    readiness: () => notReady,
    logger: options.logger ?? false,
    hosts: token === undefined && isLoopback(host) ? ['localhost', '127.0.0.1', '[::1]', host] : undefined,
  });
  await app.register(webSocketTransport, {
    accept(link) {
      if (conversations.size >= limits.connections) return link.close('too many connections');
      const conversation = new Conversation(link, {
        ...{ engine, authenticator, clock, deadlines },
        onRequest: metrics.onRequest,
        onOver: () => {
          conversations.delete(conversation);
          metrics.connections.set(conversations.size);
        },
      });
      conversations.add(conversation);
      metrics.connections.set(conversations.size);
    },
  });

  const close = async () => {
    notReady ??= 'draining';
    await Promise.all([...conversations].map(conversation => conversation.drain()));
    await engine.drain();
    deadlines.clear();
    await app.close();
    await store.close();
  };
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await close();
    throw new TupletError('unavailable', `cannot listen on ${host}:${port}: ${(cause as Error).message}`, {
      cause,
    });
  }
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  const name = host.includes(':') ? `[${host}]` : host;
  let closing: Promise<void> | undefined;
  return {
    url: `http://${name}:${address.port}`,
    failed,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** Only programs of this machine reach such a host, and so do the pages in its browser. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host.startsWith('127.');
