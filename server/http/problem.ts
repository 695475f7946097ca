/** Errors on their way out: TupletError -> RFC 9457 problem+json. What is not ours becomes ours first, and tells nothing of our insides. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, errorTable, TupletError } from '../../shared/errors.js';
import { isAwaiting } from './pipeline.js';

export const problemType = 'application/problem+json';
export const problemUrn = 'urn:tuplet:error:';

/** Statuses that say when to come back, in seconds. */
export const retried: Readonly<Record<number, number>> = { 429: 1, 503: 1 };

/** The body of an error. */
export function problemText({ code, status, message, field, outcome }: TupletError): string {
  return JSON.stringify({
    type: `${problemUrn}${code}`,
    title: errorTable[code].meaning,
    status,
    detail: message,
    code,
    field,
    ...(outcome === 'unknown' && { outcome }),
  });
}

/** Statuses of Fastify and its plugins that are more than `invalid`. */
const foreignCodes: Readonly<Record<number, ErrorCode>> = {
  404: 'not_found',
  413: 'too_large',
  414: 'too_large',
  415: 'unsupported_media',
};

/** A fault of the client that Fastify has found, else `internal`: then only the log has the message. */
export function toTupletError(error: unknown): TupletError {
  if (error instanceof TupletError) return error;
  const { statusCode = 500, message } = error as { statusCode?: number; message: string };
  const isTheirs = statusCode >= 400 && statusCode < 500;
  const code = isTheirs ? (foreignCodes[statusCode] ?? 'invalid') : 'internal';
  return new TupletError(code, isTheirs ? message : errorTable.internal.meaning, { cause: error });
}

export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const ours = toTupletError(error);
  if (ours.code === 'internal') request.log.error(error);
  if (ours.code === 'unauthorized') reply.header('WWW-Authenticate', 'Bearer');
  if (ours.status in retried) reply.header('Retry-After', retried[ours.status]);
  reply.code(ours.status).type(problemType).send(problemText(ours));
}

/** What Node's parser refuses never becomes a request: the problem is written by hand, and the connection ends. */
export function answerBrokenHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  // With a request still waiting the client would take this for its answer.
  if (!socket.writable || isAwaiting(socket)) return void socket.destroy();
  const problem = brokenHttp(error.code);
  const body = problemText(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `Content-Type: ${problemType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function brokenHttp(code: string | undefined): TupletError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new TupletError('too_large', 'the head of the request is too large');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new TupletError('timeout', 'the request did not arrive in time');
  return new TupletError('invalid', 'this is not HTTP');
}
