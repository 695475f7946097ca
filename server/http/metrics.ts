/** What is counted and measured, for Prometheus. A registry of its own, so that servers in one process do not mix. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { isOp } from '../../shared/operations.js';

export interface Metrics {
  readonly registry: Registry;
  /** Open connections of the wire; whoever accepts them sets it. */
  readonly connections: Gauge;
  /** For the engine. */
  readonly onBatch: (requests: number, ms: number) => void;
  /** An operation was answered by `ok` or by an error code. */
  readonly onRequest: (op: string, outcome: string) => void;
  /** Shows the load of an engine. */
  readonly watch: (engine: { readonly waiting: number; readonly queued: number }) => void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const connections = new Gauge({
    name: 'tuplet_connections',
    help: 'Open WebSocket connections',
    registers,
  });
  const requests = new Counter({
    name: 'tuplet_requests_total',
    help: 'Requests answered, by operation and outcome: ok or an error code',
    labelNames: ['op', 'outcome'],
    registers,
  });
  const batchMs = new Histogram({
    name: 'tuplet_batch_milliseconds',
    help: 'Time from the beginning of a batch until it is durable',
    buckets: [0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500],
    registers,
  });
  const batchRequests = new Histogram({
    name: 'tuplet_batch_requests',
    help: 'Requests that shared a batch',
    buckets: [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024],
    registers,
  });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  return {
    registry,
    connections,
    onBatch(count, ms) {
      batchMs.observe(ms);
      batchRequests.observe(count);
    },
    onRequest(op, outcome) {
      // Clients may send any name; each label is kept for ever.
      requests.inc({ op: isOp(op) ? op : 'unknown', outcome });
    },
    watch(engine) {
      gauge('tuplet_waiters', 'Requests that wait for a tuple', () => engine.waiting);
      gauge('tuplet_queued_requests', 'Requests that wait for a batch', () => engine.queued);
    },
  };
}
