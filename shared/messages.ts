/**
 * Every message of the wire: JSON Schema and type. A message is told by its first key; docs/protocol.md says who may send it when.
 * A change here is a change of the protocol: a test holds the hash of these schemas against `protocolVersion`.
 */
import type { ErrorMessage } from './errors.js';
import type { Answer, Op, WatchEvent } from './operations.js';

export const protocolVersion = 1;

/** The first message of a client. `session` asks for one to be resumed; `receipt` is the last serial that it has of it. */
export interface Hello {
  readonly hello: number;
  readonly token?: string | undefined;
  readonly session?: { readonly id: string; readonly secret: string; readonly receipt: number } | undefined;
}
/** `n` numbers the requests of a session, growing by one; the other keys are the operation's arguments. */
export interface RequestMessage {
  readonly op: Op;
  readonly n: number;
  readonly space?: string | undefined;
  readonly [argument: string]: unknown;
}
/** The client no longer wants request `abandon`: it is answered by `aborted`, or by its result if that came first. */
export interface Abandon {
  readonly abandon: number;
}
/** Every answer up to this serial has arrived. */
export interface Receipt {
  readonly receipt: number;
}
export interface Pong {
  readonly pong: number;
}
export type ClientMessage = Hello | RequestMessage | Abandon | Receipt | Pong;

/** Answers `hello`. `resumed`: the session asked for goes on; what had no answer yet is still under way. */
export interface Welcome {
  readonly welcome: number;
  readonly session: { readonly id: string; readonly secret: string; readonly ttl: number };
  readonly resumed: boolean;
  /** A server that is silent for so long is dead. */
  readonly silenceMs: number;
}
/** The answer to request `re`. `serial` counts the answers of the session, for receipts. */
export type AnswerMessage =
  | { readonly re: number; readonly serial: number; readonly ok: Answer }
  | { readonly re: number; readonly serial: number; readonly error: ErrorMessage };
export interface Ping {
  readonly ping: number;
}
/** The last message of a server. `again`: what has no answer was not done, and the client may come back, here or elsewhere. */
export interface Bye {
  readonly bye: ErrorMessage;
  readonly again: boolean;
}
/** Events of the watch that request `watch` began, until it is abandoned. */
export interface WatchMessage {
  readonly watch: number;
  readonly events: readonly WatchEvent[];
}
export type ServerMessage = Welcome | AnswerMessage | WatchMessage | Ping | Bye;

const whole = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const text = { type: 'string', maxLength: 4096 };
const message = (properties: Record<string, object>, ...required: string[]) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

/** What a client may send, requests aside: their arguments have their schemas in operations.ts. */
export const clientSchemas = {
  hello: message(
    {
      hello: whole,
      token: text,
      session: message({ id: text, secret: text, receipt: whole }, 'id', 'secret', 'receipt'),
    },
    'hello',
  ),
  abandon: message({ abandon: whole }, 'abandon'),
  receipt: message({ receipt: whole }, 'receipt'),
  pong: message({ pong: whole }, 'pong'),
};
