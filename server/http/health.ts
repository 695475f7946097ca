/** What operators and their tools ask. Open to all who reach the port: it tells how the server is, nothing of what it holds. */
import type { FastifyPluginAsync } from 'fastify';
import { TupletError } from '../../shared/errors.js';
import type { Metrics } from './metrics.js';
import { json, problems } from './openapi.js';

export interface HealthOptions {
  readonly readiness: () => string | null;
  readonly metrics: Metrics;
}

const described = (operationId: string, summary: string, response: object) => ({
  schema: { operationId, summary, tags: ['server'], security: [], response },
});
const status = (word: string) => json(word, { type: 'object', properties: { status: { enum: [word] } } });
const metricsText = { description: 'all of them', content: { 'text/plain': { schema: { type: 'string' } } } };

export const healthRoutes: FastifyPluginAsync<HealthOptions> = async (app, { readiness, metrics }) => {
  const health = described('health', 'Whether the process answers', { 200: status('ok') });
  app.get('/healthz', health, async () => ({ status: 'ok' }));

  const answers = { 200: status('ready'), ...problems('unavailable') };
  app.get('/readyz', described('readiness', 'Whether requests are taken', answers), async () => {
    const reason = readiness();
    if (reason !== null) throw new TupletError('unavailable', reason);
    return { status: 'ready' };
  });

  const { registry } = metrics;
  const prometheus = described('metrics', 'Metrics for Prometheus', { 200: metricsText });
  app.get('/metrics', prometheus, async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
};
