/** What operators ask: health, readiness, metrics. */
import { expect, test } from 'vitest';
import { bad, RestWorld } from './rest-world.js';

/** Prometheus' text format, by name and labels. */
function parse(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ') || line.startsWith('# TYPE ')) continue;
    const [, name, value] = /^([a-z_:][\w:]*(?:\{(?:\w+="[^"\\]*",?)*\})?) (\S+)$/i.exec(line) ?? [];
    if (name === undefined) throw new Error(`not a sample: ${line}`);
    expect(samples.has(name), name).toBe(false);
    samples.set(name, Number(value));
  }
  return samples;
}

test('healthz is 200 as long as there is a process', async () => {
  await using world = await RestWorld.open({ readiness: () => 'the storage failed' });
  expect(await world.get('/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
});

test('readyz says why it is not ready', async () => {
  let reason: string | null = null;
  await using world = await RestWorld.open({ readiness: () => reason });
  expect(await world.get('/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } });
  reason = 'the storage failed';
  const answer = await world.get('/readyz');
  expect(answer).toMatchObject(bad(503, 'unavailable'));
  expect(answer.body.detail).toBe(reason);
  expect(answer.headers['retry-after']).toBe('1');
});

test('metrics tell the load and what was answered', async () => {
  await using world = await RestWorld.open();
  world.metrics.connections.set(3);
  world.metrics.onRequest('"} 1\n', 'invalid');
  await world.post('out', { tuple: ['a'] });
  await world.post('out', { tuple: ['a'] });
  await world.post('out', { tuple: [] });
  await world.post('out', {}, { 'content-type': 'text/plain' });
  await world.post('take', { template: ['x'] });
  const waiting = world.post('in', { template: ['b'] });
  await world.waiters(1);
  const { status, headers, text } = await world.get('/metrics');
  expect(status).toBe(200);
  expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  const samples = parse(text);
  const expected = {
    tuplet_waiters: 1,
    tuplet_queued_requests: 0,
    tuplet_connections: 3,
    'tuplet_requests_total{op="out",outcome="ok"}': 2,
    'tuplet_requests_total{op="out",outcome="invalid"}': 1,
    'tuplet_requests_total{op="out",outcome="unsupported_media"}': 1,
    'tuplet_requests_total{op="take",outcome="ok"}': 1,
    'tuplet_requests_total{op="unknown",outcome="invalid"}': 1,
  };
  for (const [name, value] of Object.entries(expected)) expect(samples.get(name), name).toBe(value);
  const batches = samples.get('tuplet_batch_milliseconds_count') as number;
  expect(batches).toBeGreaterThanOrEqual(4);
  expect(samples.get('tuplet_batch_requests_count')).toBe(batches);
  expect(samples.get('tuplet_batch_requests_sum')).toBe(4);
  expect(samples.get('tuplet_batch_milliseconds_bucket{le="+Inf"}')).toBe(batches);
  expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(0);
  await world.post('out', { tuple: ['b'] });
  await waiting;
});
