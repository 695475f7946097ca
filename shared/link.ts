/**
 * A link is one end of a two-way pipe of messages: what every transport gives, and all that the layers above know of a network.
 * - Messages arrive in order, in batches. They wait, up to a bound, while no handler is attached; over the bound the link closes.
 * - `send` never throws and never blocks; after the end it does nothing. `unsentBytes` says how far the peer lags behind.
 * - `closed` comes once, after the last message, with the reason.
 */
import { limits } from './limits.js';

export interface LinkHandler<In> {
  messages(batch: readonly In[]): void;
  closed(reason: string): void;
}

export interface Link<In, Out> {
  attach(handler: LinkHandler<In>): void;
  send(batch: readonly Out[]): void;
  close(reason: string): void;
  readonly unsentBytes: number;
}

/** What arrives before anyone listens, and who listens: the half that every transport shares. */
export class Inbox<In> {
  #handler: LinkHandler<In> | undefined;
  #backlog: In[] = [];
  #overflowed = false;
  #ended: string | undefined;

  /** False when the batch does not fit, and ever after, so that there is no gap: the transport then closes. */
  deliver(batch: readonly In[]): boolean {
    if (this.#ended !== undefined) return true;
    if (this.#overflowed) return false;
    if (this.#handler) {
      this.#handler.messages(batch);
      return true;
    }
    if (this.#backlog.length + batch.length > limits.linkBacklogMessages) {
      this.#overflowed = true;
      return false;
    }
    for (const message of batch) this.#backlog.push(message);
    return true;
  }

  end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#handler?.closed(reason);
  }

  attach(handler: LinkHandler<In>): void {
    const [backlog, ended] = [this.#backlog, this.#ended];
    this.#handler = handler;
    this.#backlog = [];
    if (backlog.length > 0) handler.messages(backlog);
    // Unless the backlog made it hand over to another handler, which has heard of the end.
    if (ended !== undefined && this.#handler === handler) handler.closed(ended);
  }
}

/** Runs a task later, in order: `queueMicrotask`, or a test's own queue. */
export type Defer = (task: () => void) => void;

class MemoryLink<In, Out> implements Link<In, Out> {
  readonly inbox = new Inbox<In>();
  readonly unsentBytes = 0;
  peer!: MemoryLink<Out, In>;
  readonly #defer: Defer;
  #open = true;

  constructor(defer: Defer) {
    this.#defer = defer;
  }

  attach(handler: LinkHandler<In>): void {
    this.inbox.attach(handler);
  }

  send(batch: readonly Out[]): void {
    if (!this.#open) return;
    // Through text, as on a wire: neither end can change what the other holds.
    const text = JSON.stringify(batch);
    this.#defer(() => {
      if (!this.peer.inbox.deliver(JSON.parse(text))) this.close('backlog full');
    });
  }

  close(reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.peer.#open = false;
    this.#defer(() => {
      this.peer.inbox.end(reason);
      this.inbox.end(reason);
    });
  }
}

/** Two linked ends in memory, the honest twin of a socket: what one sends, the other gets later and as its own copy. */
export function linkPair<A, B>(defer: Defer = queueMicrotask): [Link<A, B>, Link<B, A>] {
  const [left, right] = [new MemoryLink<A, B>(defer), new MemoryLink<B, A>(defer)];
  left.peer = right;
  right.peer = left;
  return [left, right];
}
