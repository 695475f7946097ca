/**
 * The client's end of the talk, over one link after another.
 *
 *   connecting --welcome--> open --link ends--> suspended --welcome--> open …
 *        \___________________________________________\__attempts over__> lost
 *   and from each of them: closed, by the user.
 *
 * - Any number of calls may be under way. What is asked in one turn leaves as one frame.
 * - While suspended, calls wait. After the welcome, what was not sent is sent, and what only reads is sent again. What was sent, may have
 *   changed something and has no answer ends with `lost`, outcome `unknown`; unless the server's `bye` said that it was not done.
 * - An abort is a question to the server: the call ends as aborted only when the server says that nothing was done.
 */
import type { Clock } from '../shared/clock.js';
import { fromErrorMessage, TupletError } from '../shared/errors.js';
import type { Json } from '../shared/json.js';
import { limits } from '../shared/limits.js';
import type { Link } from '../shared/link.js';
import {
  type AnswerMessage,
  type ClientMessage,
  protocolVersion,
  type RequestMessage,
  type ServerMessage,
  type WatchMessage,
} from '../shared/messages.js';
import type { Answers, Op, WatchEvent } from '../shared/operations.js';
import { type DialOptions, dial } from './dial.js';
import { type ClientEvents, Emitter } from './events.js';

export type ClientLink = Link<ServerMessage, ClientMessage>;
/** Opens a link to an address, or throws; `signal` ends the attempt. */
export type Transport = (address: string, signal: AbortSignal) => Promise<ClientLink>;

export interface ConnectionOptions extends DialOptions {
  /** What the server wants to see first, if it wants something. */
  readonly token?: string;
}

interface Surroundings {
  readonly addresses: readonly string[];
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: () => number;
}

type State =
  | { readonly at: 'connecting' }
  | { readonly at: 'open'; readonly link: ClientLink; again: boolean }
  | { readonly at: 'suspended' }
  | { readonly at: 'lost'; readonly error: TupletError }
  | { readonly at: 'closed' };

interface Call {
  readonly message: RequestMessage;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: TupletError) => void;
  sent: boolean;
  aborted: boolean;
}

/** Events to be shown, over one link after another. */
export interface Stream {
  readonly space: string;
  readonly template: Json;
  /** Number of the last event seen; without it, from now. */
  readonly after?: number | undefined;
  readonly show: (events: readonly WatchEvent[]) => void;
  readonly failed: (error: TupletError) => void;
}

/** A stream, and where it stands. */
interface Following {
  readonly stream: Stream;
  after: number | undefined;
  stopped: boolean;
}

interface Opened {
  readonly link: ClientLink;
  readonly address: string;
  readonly silenceMs: number;
}

/** Operations that change nothing, and may be asked twice. */
const reading: ReadonlySet<Op> = new Set<Op>([
  'watch',
  'rd',
  'read',
  'scan',
  'count',
  'explain',
  'space',
  'spaces',
]);

const receiptDelayMs = 20;
const firstAttempts = 8;

export class Connection {
  readonly events = new Emitter<ClientEvents>();
  readonly #options: ConnectionOptions;
  readonly #around: Surroundings;
  readonly #calls = new Map<number, Call>();
  readonly #closing = new AbortController();
  #state: State = { at: 'connecting' };
  /** Streams that have begun, by the number of their request on this link. */
  readonly #following = new Map<number, Following>();
  #lastRequest = 0;
  #outbox: ClientMessage[] = [];
  /** Serial of the last answer, and of the last receipt for one, on this link. */
  #answered = 0;
  #receipted = 0;
  #callOffReceipt: (() => void) | undefined;
  #heard = 0;
  #callOffSilence: (() => void) | undefined;
  #ended: (() => void) | undefined;

  constructor(options: ConnectionOptions, around: Surroundings) {
    this.#options = options;
    this.#around = around;
  }

  get state(): State['at'] {
    return this.#state.at;
  }

  /** The first connection. Throws when there is none to be had. */
  async open(): Promise<void> {
    try {
      const opened = await this.#dial(this.#options.maxAttempts ?? firstAttempts);
      this.#begin(opened);
      // A little later: whoever awaits the client can listen first.
      const { clock } = this.#around;
      clock.wakeAt(clock.now(), () => this.events.emit('connected', { address: opened.address }));
    } catch (error) {
      this.#lose(error as TupletError);
      throw error;
    }
  }

  #dial(maxAttempts: number): Promise<Opened> {
    const { minDelay = 100, maxDelay = 5_000, backoff = 2 } = this.#options;
    const { addresses, clock, random } = this.#around;
    return dial({
      ...{ addresses, clock, random, minDelay, maxDelay, backoff, maxAttempts },
      signal: this.#closing.signal,
      open: (address, signal) => this.#greet(address, signal),
    });
  }

  async #greet(address: string, signal: AbortSignal): Promise<Opened> {
    const link = await this.#around.transport(address, signal);
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => link.close('no welcome in time'), { once: true });
      link.attach({
        messages: ([first]) => {
          if (first && 'welcome' in first) resolve({ link, address, silenceMs: first.silenceMs });
          else if (first && 'bye' in first) reject(fromErrorMessage(first.bye));
        },
        closed: reason => reject(new TupletError('lost', `${address}: ${reason}`)),
      });
      const { token } = this.#options;
      link.send([token === undefined ? { hello: protocolVersion } : { hello: protocolVersion, token }]);
    });
  }

  #begin({ link, silenceMs }: Opened): void {
    if (this.#state.at === 'closed') return link.close('the client was closed');
    this.#state = { at: 'open', link, again: false };
    this.#answered = 0;
    this.#receipted = 0;
    this.#heard = this.#around.clock.now();
    this.#watchSilence(link, silenceMs);
    link.attach({
      messages: batch => this.#receive(link, batch),
      closed: reason => this.#linkEnded(link, reason),
    });
    for (const call of this.#calls.values()) this.#send(call);
  }

  #watchSilence(link: ClientLink, silenceMs: number): void {
    const { clock } = this.#around;
    this.#callOffSilence?.();
    this.#callOffSilence = clock.wakeAt(this.#heard + silenceMs, () => {
      if (clock.now() - this.#heard < silenceMs) return this.#watchSilence(link, silenceMs);
      link.close('the server is silent');
      // A dead peer will not confirm the end.
      this.#linkEnded(link, 'the server is silent');
    });
  }

  /** Asks the server. Rejects with a TupletError. */
  request<O extends Op>(
    op: O,
    space: string | undefined,
    args: Record<string, unknown>,
    signal?: AbortSignal,
  ): Promise<Answers[O]> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortedError(signal, 'none'));
      const ended = this.#ending();
      if (ended) return reject(ended);
      if (this.#calls.size >= limits.queuedRequests) {
        return reject(new TupletError('limit', `${this.#calls.size} calls are under way`));
      }
      const n = ++this.#lastRequest;
      const message: RequestMessage = space === undefined ? { op, n, ...args } : { op, n, space, ...args };
      const onAbort = () => this.#abort(call, signal as AbortSignal);
      const settle = () => {
        this.#calls.delete(n);
        signal?.removeEventListener('abort', onAbort);
      };
      const call: Call = {
        message,
        sent: false,
        aborted: false,
        resolve: answer => {
          settle();
          resolve(answer);
        },
        reject: error => {
          settle();
          reject(error.code === 'aborted' && signal?.aborted ? abortedError(signal, error.outcome) : error);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#enter(call);
    });
  }

  #enter(call: Call): void {
    this.#calls.set(call.message.n, call);
    if (this.#state.at === 'open') this.#send(call);
  }

  /** Shows events until the returned function is called; over a new link it goes on from the last one. */
  watch(stream: Stream): () => void {
    const following: Following = { stream, after: stream.after, stopped: false };
    this.#follow(following);
    return () => {
      following.stopped = true;
      for (const [n, one] of this.#following) if (one === following) this.#unfollow(n);
    };
  }

  #follow(following: Following): void {
    const { stream, after } = following;
    const ended = this.#ending();
    if (ended) return stream.failed(ended);
    const n = ++this.#lastRequest;
    const { space, template } = stream;
    const message = { op: 'watch', n, space, template, ...(after !== undefined && { after }) } as const;
    const settle = () => this.#calls.delete(n);
    this.#enter({
      ...{ message, sent: false, aborted: false },
      // At once, not in a promise: events may come in the frame of the answer.
      resolve: ({ event }: Answers['watch']) => {
        settle();
        following.after = event;
        this.#following.set(n, following);
        if (following.stopped) this.#unfollow(n);
      },
      reject: error => {
        settle();
        if (!following.stopped) stream.failed(error);
      },
    });
  }

  #unfollow(n: number): void {
    this.#following.delete(n);
    if (this.#state.at === 'open') this.#say({ abandon: n });
  }

  #ending(): TupletError | undefined {
    if (this.#state.at === 'lost') return lostError(this.#state.error);
    if (this.#state.at === 'closed') return new TupletError('closed', 'the client was closed');
    return undefined;
  }

  #send(call: Call): void {
    call.sent = true;
    this.#say(call.message);
  }

  #abort(call: Call, signal: AbortSignal): void {
    if (!call.sent) return call.reject(abortedError(signal, 'none'));
    call.aborted = true;
    if (this.#state.at === 'open') this.#say({ abandon: call.message.n });
  }

  #say(message: ClientMessage): void {
    if (this.#outbox.push(message) > 1) return;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    if (this.#state.at !== 'open') {
      this.#outbox = [];
      return;
    }
    this.#addReceipt();
    if (this.#outbox.length === 0) return;
    const batch = this.#outbox;
    this.#outbox = [];
    this.#state.link.send(batch);
  }

  #addReceipt(): void {
    this.#callOffReceipt?.();
    this.#callOffReceipt = undefined;
    if (this.#receipted === this.#answered) return;
    this.#receipted = this.#answered;
    this.#outbox.push({ receipt: this.#answered });
  }

  #receive(link: ClientLink, batch: readonly ServerMessage[]): void {
    if (this.#state.at !== 'open' || this.#state.link !== link) return;
    this.#heard = this.#around.clock.now();
    for (const message of batch) {
      if ('re' in message) this.#settle(message);
      else if ('watch' in message) this.#show(message);
      else if ('ping' in message) this.#say({ pong: message.ping });
      else if ('bye' in message) this.#state.again = message.again;
    }
    // Receipts go with the next frame, or soon after.
    if (this.#receipted === this.#answered || this.#callOffReceipt) return;
    const { clock } = this.#around;
    this.#callOffReceipt = clock.wakeAt(clock.now() + receiptDelayMs, () => this.#flush());
  }

  #show({ watch, events }: WatchMessage): void {
    const following = this.#following.get(watch);
    if (!following) return;
    following.after = events.at(-1)?.event ?? following.after;
    following.stream.show(events);
  }

  #settle(answer: AnswerMessage): void {
    this.#answered = answer.serial;
    const call = this.#calls.get(answer.re);
    if (!call) return;
    if ('ok' in answer) call.resolve(answer.ok as never);
    else call.reject(fromErrorMessage(answer.error));
  }

  #linkEnded(link: ClientLink, reason: string): void {
    if (this.#state.at === 'closed') return void this.#ended?.();
    if (this.#state.at !== 'open' || this.#state.link !== link) return;
    const undone = this.#state.again;
    this.#callOffTimers();
    this.#outbox = [];
    this.#state = { at: 'suspended' };
    for (const call of [...this.#calls.values()]) this.#reconsider(call, undone, reason);
    const following = [...this.#following.values()];
    this.#following.clear();
    for (const one of following) this.#follow(one);
    this.events.emit('suspended', { reason });
    void this.#comeBack();
  }

  /** What becomes of a call whose link has ended. */
  #reconsider(call: Call, undone: boolean, reason: string): void {
    if (call.sent && !undone && !reading.has(call.message.op)) {
      const message = `the connection ended before the answer came: ${reason}`;
      return call.reject(new TupletError('lost', message, { outcome: 'unknown' }));
    }
    call.sent = false;
    if (call.aborted) call.reject(new TupletError('aborted', 'the call was aborted'));
  }

  async #comeBack(): Promise<void> {
    try {
      const opened = await this.#dial(this.#options.maxAttempts ?? Number.POSITIVE_INFINITY);
      this.#begin(opened);
      if (this.#state.at === 'open') this.events.emit('resumed', { address: opened.address });
    } catch (error) {
      this.#lose(error as TupletError);
    }
  }

  #lose(error: TupletError): void {
    if (this.#state.at === 'closed') return;
    this.#state = { at: 'lost', error };
    for (const call of [...this.#calls.values()]) call.reject(lostError(error));
    this.#failStreams(lostError(error));
    this.events.emit('lost', { error });
  }

  #failStreams(error: TupletError): void {
    const following = [...this.#following.values()];
    this.#following.clear();
    for (const { stream } of following) stream.failed(error);
  }

  #callOffTimers(): void {
    this.#callOffSilence?.();
    this.#callOffReceipt?.();
    this.#callOffReceipt = undefined;
  }

  /** Ends the connection after the last receipt. Calls under way end with `closed`. */
  async close(): Promise<void> {
    const state = this.#state;
    if (state.at === 'closed') return;
    for (const call of [...this.#calls.values()]) {
      const outcome = call.sent && !reading.has(call.message.op) ? 'unknown' : 'none';
      call.reject(new TupletError('closed', 'the client was closed', { outcome }));
    }
    this.#failStreams(new TupletError('closed', 'the client was closed'));
    this.#flush();
    this.#callOffTimers();
    this.#state = { at: 'closed' };
    this.#closing.abort();
    if (state.at !== 'open') return;
    await new Promise<void>(ended => {
      this.#ended = ended;
      state.link.close('the client was closed');
    });
  }
}

const abortedError = (signal: AbortSignal, outcome: 'none' | 'unknown') =>
  new TupletError('aborted', 'the call was aborted', { outcome, cause: signal.reason });

const lostError = (cause: TupletError) => new TupletError('lost', cause.message, { cause });
