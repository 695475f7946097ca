/**
 * The engine inside the program that uses it: the same conversation, over a link in memory. Parts of a program that name the same file,
 * or the same `memory:NAME`, share one engine; it ends with its last link. A bare `memory:` is shared with nobody.
 */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { systemClock } from '../shared/clock.js';
import { type Link, type LinkHandler, linkPair } from '../shared/link.js';
import type { ClientMessage, ServerMessage } from '../shared/messages.js';
import { openDoor } from './auth/auth.js';
import { Conversation } from './conversation.js';
import { Deadlines } from './engine/deadlines.js';
import { Engine } from './engine/engine.js';
import { openStore, sqliteFile } from './store/open.js';
import type { Store } from './store/store.js';

type ClientLink = Link<ServerMessage, ClientMessage>;

/** Engines by what they share; an engine that is ending stays until its store is closed. */
const engines = new Map<string, { opened: Promise<Embedded>; links: number; ended?: Promise<void> }>();
let unnamed = 0;

/** A link to the engine of a URL: `memory:`, `memory:NAME`, `sqlite:FILE`. Throws as `openStore` does. */
export async function embeddedLink(url: string): Promise<ClientLink> {
  const name = shareName(url);
  await engines.get(name)?.ended;
  const shared = engines.get(name) ?? { opened: openStore(url).then(store => new Embedded(store)), links: 0 };
  engines.set(name, shared);
  shared.links++;
  try {
    const embedded = await shared.opened;
    return new EmbeddedLink(embedded.connect(), () => leave(name));
  } catch (error) {
    await leave(name);
    throw error;
  }
}

function shareName(url: string): string {
  const file = sqliteFile(url);
  if (file === undefined) return url === 'memory:' ? `memory: ${++unnamed}` : url;
  const path = resolve(file);
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    return path;
  }
}

async function leave(name: string): Promise<void> {
  const shared = engines.get(name);
  if (!shared || --shared.links > 0) return;
  shared.ended = shared.opened
    .then(embedded => embedded.end())
    .catch(() => {})
    .then(() => void engines.delete(name));
  await shared.ended;
}

class Embedded {
  readonly #store: Store;
  readonly #engine: Engine;
  readonly #deadlines = new Deadlines(systemClock);
  readonly #links = new Set<Link<unknown, ServerMessage>>();

  constructor(store: Store) {
    this.#store = store;
    this.#engine = new Engine({
      store,
      clock: systemClock,
      defer: task => void setImmediate(task),
      onFault: error => this.#fail(error),
    });
  }

  connect(): ClientLink {
    const [client, server] = linkPair<ServerMessage, ClientMessage>();
    const link = server as Link<unknown, ServerMessage>;
    this.#links.add(link);
    new Conversation(link, {
      engine: this.#engine,
      authenticator: openDoor,
      clock: systemClock,
      deadlines: this.#deadlines,
    });
    return client;
  }

  async end(): Promise<void> {
    this.#deadlines.clear();
    await this.#engine.drain();
    await this.#store.close();
  }

  #fail(error: unknown): void {
    for (const link of this.#links) link.close(`the storage failed: ${(error as Error).message}`);
  }
}

/** A link that has closed only when its engine has, if it was the last: then the file is free. */
class EmbeddedLink implements ClientLink {
  constructor(
    readonly inner: ClientLink,
    readonly leave: () => Promise<void>,
  ) {}

  get unsentBytes(): number {
    return this.inner.unsentBytes;
  }

  attach(handler: LinkHandler<ServerMessage>): void {
    this.inner.attach({
      messages: batch => handler.messages(batch),
      closed: reason => void this.leave().then(() => handler.closed(reason)),
    });
  }

  send(batch: readonly ClientMessage[]): void {
    this.inner.send(batch);
  }

  close(reason: string): void {
    this.inner.close(reason);
  }
}
