/** A server and any number of clients, linked in memory, on one manual clock: no sockets, no ports, no sleeping. */

import { Client } from '../../client/client.js';
import { type ClientLink, Connection, type ConnectionOptions } from '../../client/connection.js';
import type { ClientEvents } from '../../client/events.js';
import { type Authenticator, openDoor } from '../../server/auth/auth.js';
import { Conversation } from '../../server/conversation.js';
import { Deadlines } from '../../server/engine/deadlines.js';
import { type Link, linkPair } from '../../shared/link.js';
import type { ClientMessage, ServerMessage } from '../../shared/messages.js';
import { EngineWorld } from './engine-world.js';

type Say = (message: unknown) => void;

export class World extends EngineWorld {
  readonly deadlines = new Deadlines(this.clock);
  readonly conversations = new Set<Conversation>();
  /** The server ends of all links that were ever opened, and the client ends. */
  readonly serverEnds: Link<unknown, ServerMessage>[] = [];
  readonly clientEnds: ClientLink[] = [];
  /** Every message that a client has sent. */
  readonly heard: ClientMessage[] = [];
  /** How many connection attempts fail before one succeeds. */
  refusing = 0;
  attempts: { readonly address: string; readonly at: number }[] = [];
  authenticator: Authenticator = openDoor;

  /** A link whose other end is a conversation of this server. */
  link(): ClientLink {
    const [client, server] = linkPair<ServerMessage, ClientMessage>(this.turns.defer);
    const end = server as Link<unknown, ServerMessage>;
    this.serverEnds.push(end);
    this.clientEnds.push(client);
    const conversation: Conversation = new Conversation(this.#eavesdrop(end), {
      engine: this.engine,
      authenticator: this.authenticator,
      clock: this.clock,
      deadlines: this.deadlines,
      onOver: () => this.conversations.delete(conversation),
    });
    this.conversations.add(conversation);
    return client;
  }

  #eavesdrop(link: Link<unknown, ServerMessage>): Link<unknown, ServerMessage> {
    const { heard } = this;
    return {
      get unsentBytes() {
        return link.unsentBytes;
      },
      send: batch => link.send(batch),
      close: reason => link.close(reason),
      attach: handler =>
        link.attach({
          messages: batch => {
            heard.push(...(batch as ClientMessage[]));
            handler.messages(batch);
          },
          closed: reason => handler.closed(reason),
        }),
    };
  }

  connection(options: ConnectionOptions = {}, addresses: readonly string[] = ['one']): Connection {
    return new Connection(options, {
      addresses,
      clock: this.clock,
      random: () => 1,
      transport: async address => {
        this.attempts.push({ address, at: this.clock.now() });
        if (this.refusing-- > 0) throw new Error(`${address} refuses`);
        return this.link();
      },
    });
  }

  async client(options: ConnectionOptions = {}): Promise<{ client: Client; events: (keyof ClientEvents)[] }> {
    const connection = this.connection(options);
    const events: (keyof ClientEvents)[] = [];
    for (const name of ['connected', 'suspended', 'resumed', 'lost'] as const) {
      connection.events.on(name, () => events.push(name));
    }
    const opened = connection.open();
    opened.catch(() => {});
    await this.turns.idle();
    await opened;
    // `connected` comes when whoever awaits the client has had time to listen.
    await this.advance(0);
    return { client: new Client(connection), events };
  }

  /** A peer that speaks raw messages. */
  stranger(): { say: Say; heard: ServerMessage[]; closed: string[]; link: ClientLink } {
    const link = this.link();
    const heard: ServerMessage[] = [];
    const closed: string[] = [];
    link.attach({ messages: batch => heard.push(...batch), closed: reason => closed.push(reason) });
    return { say: message => link.send([message as ClientMessage]), heard, closed, link };
  }

  /** Lets a promise settle, moving turns but not the clock. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => {});
    await this.turns.idle();
    return promise;
  }
}
