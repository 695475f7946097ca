/**
 * One client's talk over one link: messages <-> engine requests.
 *
 *   greeting --hello--> open --drain--> leaving --last answer--> over
 *       \________________\__________________\____link closed____/
 *
 * - greeting: nothing is kept for a peer before its `hello` is accepted, and it has `helloMs` for it.
 * - open: each request is answered once, out of order; answers that come in one turn leave as one frame.
 * - leaving: what waits is abandoned, what runs is answered, then `bye` says that all the rest was not done.
 * - over: everything that still waits is abandoned. A client that goes away while it waits takes nothing.
 * A message that is not of the protocol ends the talk; a request with bad arguments only fails itself.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../shared/clock.js';
import { TupletError, toErrorMessage } from '../shared/errors.js';
import { limits } from '../shared/limits.js';
import type { Link, LinkHandler } from '../shared/link.js';
import { type Hello, protocolVersion, type RequestMessage, type ServerMessage } from '../shared/messages.js';
import { type Answers, isOp, parseRequest, type Request } from '../shared/operations.js';
import { parseClientMessage } from '../shared/parse-message.js';
import { type Authenticator, authorize, type Principal } from './auth/auth.js';
import type { Deadlines } from './engine/deadlines.js';
import type { Engine } from './engine/engine.js';
import type { Watch } from './engine/event-log.js';
import type { Result } from './engine/pending.js';

export interface ConversationOptions {
  readonly engine: Engine;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly onRequest?: (op: string, outcome: string) => void;
  /** The talk is over, and nothing of it is left. */
  readonly onOver?: () => void;
}

type State =
  | { readonly at: 'greeting' }
  | { readonly at: 'open'; readonly principal: Principal }
  | { readonly at: 'leaving'; readonly left: () => void }
  | { readonly at: 'over' };

export class Conversation implements LinkHandler<unknown> {
  readonly #options: ConversationOptions;
  readonly #link: Link<unknown, ServerMessage>;
  #state: State = { at: 'greeting' };
  /** Requests without an answer, and how to abandon them. */
  readonly #open = new Map<number, () => void>();
  /** Watches under way, and how to end them. */
  readonly #watches = new Map<number, () => void>();
  #lastRequest = 0;
  #serial = 0;
  #outbox: ServerMessage[] = [];
  #heard: number;
  #pings = 0;
  #callOff: () => void;

  constructor(link: Link<unknown, ServerMessage>, options: ConversationOptions) {
    this.#options = options;
    this.#link = link;
    this.#heard = options.clock.now();
    this.#callOff = options.deadlines.at(this.#heard + limits.helloMs, () =>
      this.#refuse(new TupletError('timeout', `hello: none came within ${limits.helloMs} ms`)),
    );
    link.attach(this);
  }

  messages(batch: readonly unknown[]): void {
    this.#heard = this.#options.clock.now();
    try {
      for (const message of batch) this.#receive(message);
    } catch (error) {
      if (!(error instanceof TupletError)) throw error;
      this.#refuse(error);
    }
  }

  #receive(value: unknown): void {
    const { at } = this.#state;
    // What arrives after our last word is not done: `bye` says so.
    if (at === 'over' || at === 'leaving') return;
    const message = parseClientMessage(value);
    if (at === 'greeting' && ('op' in message || !('hello' in message))) {
      throw new TupletError('invalid', 'hello: is the first message', { field: 'hello' });
    }
    if ('op' in message) this.#request(message);
    else if ('hello' in message) this.#greet(message);
    else if ('abandon' in message) this.#abandon(message.abandon);
    // Receipts and pongs: that they were heard is all they say while sessions end with their connection.
  }

  #greet({ hello, token }: Hello): void {
    if (this.#state.at !== 'greeting')
      throw new TupletError('invalid', 'hello: came twice', { field: 'hello' });
    if (hello !== protocolVersion) {
      throw new TupletError('invalid', `hello: version ${hello} is not spoken here, only ${protocolVersion}`);
    }
    this.#state = { at: 'open', principal: this.#options.authenticator.identify(token) };
    const session = { id: randomUUID(), secret: randomUUID(), ttl: 0 };
    this.#say({ welcome: protocolVersion, session, resumed: false, silenceMs: limits.silenceMs });
    this.#callOff();
    this.#pingLater();
  }

  #request(message: RequestMessage): void {
    const { n } = message;
    if (n <= this.#lastRequest) throw new TupletError('invalid', `n: ${n} does not grow`, { field: 'n' });
    this.#lastRequest = n;
    let request: Request;
    try {
      request = this.#check(message);
    } catch (error) {
      if (!(error instanceof TupletError)) throw error;
      return this.#answer(message, { error });
    }
    // Put down first: an answer may come before `submit` returns.
    this.#open.set(n, () => {});
    const abandon = this.#options.engine.submit(request, result => {
      this.#answer(message, result);
      if (request.op === 'watch' && 'ok' in result && this.#state.at === 'open') {
        this.#begin(n, { ...request, after: (result.ok as Answers['watch']).event });
      }
    });
    if (this.#open.has(n)) this.#open.set(n, abandon);
  }

  #check({ op, n: _, space, ...values }: RequestMessage): Request {
    if (this.#state.at !== 'open') throw new Error('requests come in an open talk');
    if (!isOp(op))
      throw new TupletError('invalid', `op: there is no operation ${String(op)}`, { field: 'op' });
    if (this.#open.size >= limits.requestsPerConnection) {
      throw new TupletError('limit', `n: ${this.#open.size} requests of this connection have no answer yet`);
    }
    if (op === 'watch' && this.#watches.size >= limits.watchesPerConnection) {
      throw new TupletError('limit', `n: this connection has ${this.#watches.size} watches`);
    }
    const request = parseRequest(op, space, values);
    authorize(this.#state.principal, request);
    return request;
  }

  /** Watches go on behind their answer, until they are abandoned. */
  #begin(n: number, watch: Watch): void {
    const link = this.#link;
    const end = this.#options.engine.watch(watch, {
      get ready() {
        return link.unsentBytes < limits.watchUnsentBytes;
      },
      send: events => this.#say({ watch: n, events }),
    });
    this.#watches.set(n, end);
  }

  #abandon(n: number): void {
    this.#watches.get(n)?.();
    this.#watches.delete(n);
    this.#open.get(n)?.();
  }

  #answer({ n: re, op }: RequestMessage, result: Result): void {
    const { at } = this.#state;
    this.#open.delete(re);
    this.#options.onRequest?.(op, 'ok' in result ? 'ok' : result.error.code);
    if (at === 'over') return;
    const undone = 'error' in result && result.error.code === 'aborted' && at === 'leaving';
    if (!undone) {
      const serial = ++this.#serial;
      if ('ok' in result) this.#say({ re, serial, ok: result.ok });
      else this.#say({ re, serial, error: toErrorMessage(result.error) });
    }
    this.#leaveIfDone();
  }

  /** Sends with all else that is said in this turn. */
  #say(message: ServerMessage): void {
    if (this.#outbox.push(message) > 1) return;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const batch = this.#outbox;
    if (batch.length === 0) return;
    this.#outbox = [];
    this.#link.send(batch);
    if (this.#link.unsentBytes > limits.unsentBytes) this.#link.close('the peer does not read');
  }

  #pingLater(): void {
    const { clock, deadlines } = this.#options;
    const next = Math.min(clock.now() + limits.pingMs, this.#heard + limits.silenceMs);
    this.#callOff = deadlines.at(next, () => {
      if (clock.now() - this.#heard >= limits.silenceMs) return this.#link.close('the peer is silent');
      this.#say({ ping: ++this.#pings });
      this.#pingLater();
    });
  }

  #refuse(error: TupletError): void {
    if (this.#state.at === 'over') return;
    this.#say({ bye: toErrorMessage(error), again: false });
    this.#end(error.message);
  }

  #end(reason: string): void {
    this.#flush();
    this.closed();
    this.#link.close(reason);
  }

  closed(): void {
    const state = this.#state;
    if (state.at === 'over') return;
    this.#state = { at: 'over' };
    this.#callOff();
    for (const abandon of [...this.#open.values()]) abandon();
    for (const end of this.#watches.values()) end();
    if (state.at === 'leaving') state.left();
    this.#options.onOver?.();
  }

  /** Ends the talk without cutting anything off. Resolves when the last word is said. */
  drain(): Promise<void> {
    return new Promise(left => {
      if (this.#state.at !== 'open') {
        this.#end('draining');
        return left();
      }
      this.#state = { at: 'leaving', left };
      for (const abandon of [...this.#open.values()]) abandon();
      this.#leaveIfDone();
    });
  }

  #leaveIfDone(): void {
    if (this.#state.at !== 'leaving' || this.#open.size > 0) return;
    this.#say({
      bye: { code: 'unavailable', message: 'the server is draining: come back soon' },
      again: true,
    });
    this.#end('draining');
  }
}
