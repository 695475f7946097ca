/**
 * The operations as REST. One handler serves them all: check, ask the engine, say what it answered.
 * No wait is longer than `restWaitMs`: proxies and clients give up on a silent connection, and a tuple that comes later must not be
 * taken for somebody who has gone.
 */
import type { Socket } from 'node:net';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { invalid, TupletError } from '../../shared/errors.js';
import type { Json } from '../../shared/json.js';
import { limits } from '../../shared/limits.js';
import { type Answer, type Op, parseRequest, type Request } from '../../shared/operations.js';
import { type Authenticator, authorize } from '../auth/auth.js';
import type { Engine } from '../engine/engine.js';
import type { RequestKey, Result } from '../engine/pending.js';
import { identifyAll } from './access.js';
import { readBody } from './body.js';
import { requestKey } from './idempotency.js';
import type { Metrics } from './metrics.js';
import { describe, postedOps } from './openapi.js';
import { inTurn } from './pipeline.js';
import { sendProblem, toTupletError } from './problem.js';
import { watchRoutes } from './watch.js';

export interface RestOptions {
  readonly engine: Engine;
  readonly authenticator: Authenticator;
  readonly metrics: Metrics;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    op?: Op;
  }
}

export const restRoutes: FastifyPluginAsync<RestOptions> = async (
  app,
  { engine, authenticator, metrics },
) => {
  const count = (request: FastifyRequest, outcome: string) => metrics.onRequest(opOf(request), outcome);
  identifyAll(app, authenticator);
  app.setErrorHandler((error, request, reply) => {
    count(request, toTupletError(error).code);
    sendProblem(error, request, reply);
  });

  const answer = async (request: FastifyRequest) => {
    const { asked, key } = check(request);
    const result = await ask(engine, request.raw.socket, asked, key);
    if ('error' in result) throw result.error;
    return result.ok;
  };
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const answered = await inTurn(request.raw.socket, () => answer(request));
    count(request, 'ok');
    return reply.code(statusOf(opOf(request), answered)).send(answered ?? undefined);
  };
  const route = (op: Op) => ({ schema: describe(op), config: { op } });
  app.get('/spaces', route('spaces'), handler);
  app.get('/spaces/:space', route('space'), handler);
  await app.register(watchRoutes, { engine });
  for (const op of postedOps) app.post(`/spaces/:space/${op}`, route(op), handler);
};

function opOf(request: FastifyRequest): Op {
  const { op } = request.routeOptions.config;
  if (!op) throw new Error('every route here is an operation');
  return op;
}

function check(request: FastifyRequest): { asked: Request; key: RequestKey | undefined } {
  const op = opOf(request);
  const { space } = request.params as { space?: string };
  // A misplaced argument would be ignored in silence.
  for (const name of Object.keys(request.query as object)) throw invalid(name, 'is not known in the query');
  const isPost = request.method === 'POST';
  const body = isPost ? readBody(request) : {};
  const asked = boundWait(parseRequest(op, space, body));
  authorize(request.principal, asked);
  // What parseRequest lets pass is JSON.
  const key = isPost ? requestKey(request, `/v1/spaces/${space}/${op}`, body as Json) : undefined;
  return { asked, key };
}

function boundWait(request: Request): Request {
  if (!('timeout' in request)) return request;
  const { timeout = limits.restDefaultWaitMs } = request;
  if (timeout > limits.restWaitMs) throw invalid('timeout', `is at most ${limits.restWaitMs} over HTTP`);
  return { ...request, timeout };
}

/** Abandons the request if the client hangs up: it then takes nothing, unless it has already. */
function ask(engine: Engine, socket: Socket, request: Request, key: RequestKey | undefined): Promise<Result> {
  return new Promise(resolve => {
    if (socket.destroyed) throw new TupletError('aborted', 'the client hung up; nothing was done');
    const abandon = engine.submit(
      request,
      result => {
        socket.off('close', abandon);
        resolve(result);
      },
      key,
    );
    socket.once('close', abandon);
  });
}

function statusOf(op: Op, answer: Answer): number {
  if (answer === null) return 204;
  if (op === 'outMany') return 201;
  return op === 'out' && !('created' in answer) ? 201 : 200;
}
