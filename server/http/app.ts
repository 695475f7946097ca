/**
 * The HTTP side of a server, ready to listen: REST, its description, health and metrics on one Fastify.
 *
 * Its rules:
 * - A request passes, in this order: where it comes from and who sends it (access.ts), its body (body.ts), `parseRequest`, `authorize`,
 *   the engine. Nothing else checks or coerces, so REST and the wire refuse the same things in the same words.
 * - Every error leaves as problem+json (problem.ts), those of the router and of broken HTTP too.
 * - What a client does, or leaves undone, holds a connection only for a bounded time.
 */
import { type FastifyInstance, type FastifyServerOptions, fastify, LogController } from 'fastify';
import { TupletError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import type { Authenticator } from '../auth/auth.js';
import type { Engine } from '../engine/engine.js';
import { refuseStrangers } from './access.js';
import { keepBytes } from './body.js';
import { healthRoutes } from './health.js';
import type { Metrics } from './metrics.js';
import { openApi } from './openapi.js';
import { answerBrokenHttp, sendProblem } from './problem.js';
import { restRoutes } from './routes.js';

export interface AppOptions {
  readonly engine: Engine;
  readonly authenticator: Authenticator;
  /** Null when the server is ready, else why it is not. */
  readonly readiness: () => string | null;
  readonly metrics: Metrics;
  readonly logger?: FastifyServerOptions['logger'];
  /** Names by which clients may call this server. A server without a token needs them: see access.ts. */
  readonly hosts?: readonly string[] | undefined;
}

const headBytes = 16 * 1024;
const headMs = 10_000;
const receiveMs = 30_000;

/** Builds the app; the caller may register more on it before it listens. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { engine, authenticator, metrics, readiness, hosts } = options;
  const app = fastify({
    logger: options.logger ?? false,
    // Requests are counted by the metrics; a line for each would cost more than many of them.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.frameBytes,
    // From its first byte to its last: a dripped body ends here. The wait for the answer is not part of it.
    requestTimeout: receiveMs,
    // Silence in both directions, which is what a long wait is: so it must outlast the longest. It ends clients that do not read.
    connectionTimeout: limits.restWaitMs + receiveMs,
    // Longer than the minute after which proxies commonly drop an idle connection, so that they and not we end it.
    keepAliveTimeout: 72_000,
    // Fastify's own 503 is no problem+json; the engine says the same while it drains.
    return503OnClosing: false,
    // Any name that fits into the head, so that one that is too long is refused as `space` and not as an unknown path.
    routerOptions: { maxParamLength: headBytes },
    // The interval is how late the two timeouts may be noticed.
    http: { maxHeaderSize: headBytes, headersTimeout: headMs, connectionsCheckingInterval: 1_000 },
    frameworkErrors: sendProblem,
    clientErrorHandler: answerBrokenHttp,
  });
  app.server.maxConnections = limits.connections;
  // Schemas describe; parseRequest checks.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler(() => {
    throw new TupletError('not_found', 'no such path, or not by this method');
  });
  app.addHook('onResponse', async ({ raw: { headers, socket } }) => {
    // A refused upgrade has left Node's HTTP server, which would have ended its connection.
    if (headers.upgrade !== undefined) socket.destroySoon();
  });
  app.addHook('preClose', async () => {
    // A client that sends its request without end, or does not read its answer, is not waited for.
    setTimeout(() => app.server.closeAllConnections(), limits.drainMs).unref();
  });
  keepBytes(app);
  refuseStrangers(app, hosts);
  await openApi(app);
  await app.register(healthRoutes, { readiness, metrics });
  await app.register(restRoutes, { prefix: '/v1', engine, authenticator, metrics });
  metrics.watch(engine);
  return app;
}
