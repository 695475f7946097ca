/**
 * `watch` as server-sent events: the id of an event is its number, so a client that comes back with `Last-Event-ID` goes on behind it.
 * The stream begins with the number from which it goes on, as an event of type `watching`. A comment now and then keeps proxies from
 * taking the silence for death. A client that reads too slowly is waited for; what it misses by that it is told (`truncated`).
 */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { invalid } from '../../shared/errors.js';
import { parseJson } from '../../shared/json.js';
import { limits } from '../../shared/limits.js';
import { type Answers, parseRequest, type RequestOf, type WatchEvent } from '../../shared/operations.js';
import { authorize } from '../auth/auth.js';
import type { Engine } from '../engine/engine.js';
import { readBody } from './body.js';
import { describe } from './openapi.js';

export interface WatchOptions {
  readonly engine: Engine;
}

const heartbeatMs = 15_000;

/** For the scope of the REST routes: clients have been identified. */
export const watchRoutes: FastifyPluginAsync<WatchOptions> = async (app, { engine }) => {
  const streams = new Set<() => void>();
  // A stream never ends by itself, and a server that stops waits for its connections.
  app.addHook('preClose', async () => {
    for (const end of streams) end();
  });
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const asked = check(request);
    const event = await begin(engine, asked);
    const end = stream(engine, { ...asked, after: event }, reply, () => streams.delete(end));
    streams.add(end);
    return reply;
  };
  const { params, response } = describe('watch');
  app.post('/spaces/:space/watch', { schema: describe('watch'), config: { op: 'watch' } }, handler);
  const query = {
    type: 'object',
    properties: { template: { type: 'string' }, after: { type: 'integer' } },
    required: ['template'],
  };
  app.get(
    '/spaces/:space/watch',
    {
      schema: {
        params,
        tags: ['spaces'],
        response,
        operationId: 'watchByQuery',
        summary: 'The same by GET',
        querystring: query,
      },
      config: { op: 'watch' },
    },
    handler,
  );
};

function check(request: FastifyRequest): RequestOf<'watch'> {
  const { space } = request.params as { space: string };
  const values =
    request.method === 'POST' ? readBody(request) : fromQuery(request.query as Record<string, string>);
  const last = request.headers['last-event-id'];
  const after = typeof last === 'string' ? { after: wholeNumber('Last-Event-ID', last) } : {};
  const asked = parseRequest('watch', space, { ...(values as object), ...after }) as RequestOf<'watch'>;
  authorize(request.principal, asked);
  return asked;
}

function fromQuery({ template, after, ...others }: Record<string, string>): object {
  if (template === undefined) throw invalid('template', 'is required');
  try {
    return {
      template: parseJson(template),
      ...(after !== undefined && { after: wholeNumber('after', after) }),
      ...others,
    };
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw invalid('template', cause.message);
  }
}

function wholeNumber(field: string, text: string): number {
  if (!/^\d{1,16}$/.test(text)) throw invalid(field, 'is the number of an event');
  return Number(text);
}

/** The event from which the watch goes on. */
function begin(engine: Engine, request: RequestOf<'watch'>): Promise<number> {
  return new Promise((resolve, reject) => {
    engine.submit(request, result => {
      if ('ok' in result) resolve((result.ok as Answers['watch']).event);
      else reject(result.error);
    });
  });
}

/** Writes events until the client goes away, or the returned function ends it. */
function stream(
  engine: Engine,
  watch: RequestOf<'watch'> & { readonly after: number },
  reply: FastifyReply,
  ended: () => void,
): () => void {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  });
  raw.write(`id: ${watch.after}\nevent: watching\ndata: {"event":${watch.after}}\n\n`);
  const heartbeat = setInterval(() => raw.write(':\n\n'), heartbeatMs);
  const stop = engine.watch(watch, {
    get ready() {
      return raw.writableLength < limits.watchUnsentBytes;
    },
    send: events => void raw.write(events.map(toText).join('')),
  });
  raw.on('close', () => {
    clearInterval(heartbeat);
    stop();
    ended();
  });
  return () => raw.end();
}

const toText = (event: WatchEvent): string =>
  `id: ${event.event}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
