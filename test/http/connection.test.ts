/** What only a socket shows, and so a port: clients that hang up, drip, pipeline, or do not speak HTTP. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withLimits } from '../support/limits.js';
import { waitFor } from '../support/wait-for.js';
import { RestWorld, rawPost } from './rest-world.js';

let world: RestWorld;
beforeEach(async () => {
  world = await RestWorld.open();
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

const statuses = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));

/** Sends bytes, and waits for as many answers. */
async function answers(bytes: string, count = 1): Promise<string> {
  const { socket, received } = await world.dial();
  socket.write(bytes, 'latin1');
  await waitFor(`${count} answers`, () => statuses(received()).length === count);
  return received();
}

async function stillServes(): Promise<void> {
  expect(statuses(await answers(rawPost('count', { template: ['x'] })))).toEqual([200]);
}

describe('a client that hangs up while it waits takes nothing', () => {
  test.each([
    ['in', { template: ['a'] }],
    ['take', { template: ['a'], timeout: 60_000 }],
    ['takeMany', { template: ['a'], timeout: 60_000 }],
  ])('%s', async (op, body) => {
    const { socket } = await world.dial();
    socket.write(rawPost(op, body));
    await world.waiters(1);
    socket.destroy();
    await world.waiters(0);
    await world.post('out', { tuple: ['a'] });
    expect(await world.tuples()).toEqual([['a']]);
    await stillServes();
  });

  test('nor one that only closes its side', async () => {
    const { socket, closed } = await world.dial();
    socket.write(rawPost('in', { template: ['a'] }));
    await world.waiters(1);
    socket.end();
    await world.waiters(0);
    await waitFor('the end of the connection', closed);
  });

  test('nor is anything done that it pipelined behind', async () => {
    const { socket } = await world.dial();
    socket.write(
      ['in', 'in'].map(op => rawPost(op, { template: ['a'] })).join('') + rawPost('out', { tuple: ['b'] }),
    );
    await world.waiters(1);
    socket.destroy();
    await world.waiters(0);
    await world.post('out', { tuple: ['a'] });
    expect(await world.tuples()).toEqual([['a']]);
  });

  test('however much it would have been answered', async () => {
    await world.post('outMany', { tuples: Array(50).fill(['large', 'x'.repeat(10_000)]) });
    const { socket } = await world.dial();
    const scan = rawPost('scan', { template: ['large', { $any: true }] });
    socket.write(rawPost('in', { template: ['a'] }) + scan.repeat(9));
    await world.waiters(1);
    await stillServes();
    socket.write(scan.repeat(9));
    await stillServes();
    socket.destroy();
    await world.waiters(0);
  });

  test('but another who sent the same key goes on waiting', async () => {
    const bytes = rawPost('in', { template: ['a'] }, 'Idempotency-Key: k');
    const [first, second] = [await world.dial(), await world.dial()];
    first.socket.write(bytes);
    await world.waiters(1);
    second.socket.write(bytes);
    await stillServes();
    first.socket.destroy();
    await stillServes();
    expect(world.engine.waiting).toBe(1);
    await world.post('out', { tuple: ['a'] });
    await waitFor('the answer', () => second.received().includes('"tuple":["a"]'));
    expect(await world.tuples()).toEqual([]);
  });

  test('and at the very moment of the match it either takes or does not', async () => {
    const rounds = 100;
    for (let round = 0; round < rounds; round++) {
      const { socket } = await world.dial();
      socket.write(rawPost('in', { template: ['a', round] }));
      await world.waiters(1);
      const put = world.post('out', { tuple: ['a', round] });
      // From before the match until after its answer.
      for (let turn = 0; turn < round % 4; turn++) await new Promise(resolve => setImmediate(resolve));
      socket.destroy();
      expect((await put).status).toBe(201);
      await world.waiters(0);
    }
    const counts = (await world.get('/metrics')).text;
    const taken = Number(/tuplet_requests_total\{op="in",outcome="ok"\} (\d+)/.exec(counts)?.[1] ?? 0);
    expect((await world.tuples()).length + taken).toBe(rounds);
    await stillServes();
  });
});

describe('pipelined requests', () => {
  test('are done in their order', async () => {
    const { socket, received } = await world.dial();
    socket.write(
      rawPost('out', { tuple: ['a'] }) + rawPost('take', { template: ['a'] }) + rawPost('out', { tuple: [] }),
    );
    socket.write(
      rawPost('in', { template: ['b'] }) + rawPost('take', { template: ['b'] }) + rawPost('count', {}),
    );
    await world.waiters(1);
    await waitFor('the first answers', () => statuses(received()).length === 3);
    await world.post('outMany', { tuples: [['b'], ['b']] });
    await waitFor('all answers', () => statuses(received()).length === 6);
    expect(statuses(received())).toEqual([201, 200, 400, 200, 200, 400]);
  });

  test('have a bound', async () => {
    const { socket, received } = await world.dial();
    socket.write(rawPost('in', { template: ['a'] }) + rawPost('count', { template: ['a'] }).repeat(70));
    await world.waiters(1);
    await world.post('out', { tuple: ['a'] });
    await waitFor('all answers', () => statuses(received()).length === 71);
    const count = (status: number) => statuses(received()).filter(one => one === status).length;
    expect(count(200)).toBeGreaterThanOrEqual(64);
    expect(count(200) + count(429)).toBe(71);
    expect(received()).toContain('retry-after: 1');
  });

  test('garbage behind a waiting request ends the connection, and is not answered in its place', async () => {
    const { socket, received, closed } = await world.dial();
    socket.write(rawPost('in', { template: ['a'] }));
    await world.waiters(1);
    socket.write('\x00\x01 garbage\r\n\r\n');
    await waitFor('the end of the connection', closed);
    expect(received()).toBe('');
    await world.waiters(0);
    await stillServes();
  });
});

describe('what is not HTTP, or too much of it', () => {
  test.each([
    ['garbage', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n', 400, 'invalid'],
    ['a line that is no request', 'HELLO\r\n\r\n', 400, 'invalid'],
    ['two lengths', rawPost('out', { tuple: ['a'] }, 'Content-Length: 3'), 400, 'invalid'],
    ['a length and chunks', rawPost('out', { tuple: ['a'] }, 'Transfer-Encoding: chunked'), 400, 'invalid'],
    [
      'a large head',
      `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      413,
      'too_large',
    ],
    ['a large path', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 413, 'too_large'],
  ])('%s', async (_what, bytes, status, code) => {
    const text = await answers(bytes);
    expect(statuses(text)).toEqual([status]);
    expect(text).toContain('application/problem+json');
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({ status, code });
    await stillServes();
  });

  test('a body in chunks that grows over the bound', async () => {
    using _ = withLimits({ frameBytes: 10_000 });
    await using small = await RestWorld.open();
    const { socket, received } = await small.dial();
    const head = rawPost('out', {}).replace(/Content-Length.*/s, 'Transfer-Encoding: chunked\r\n\r\n');
    socket.write(`${head}4000\r\n${'x'.repeat(0x4000)}\r\n`);
    await waitFor('the answer', () => received().includes('too_large'));
    expect(statuses(received())).toEqual([413]);
  });

  test('a path by another name needs the token all the same', async () => {
    await using closed = await RestWorld.open({
      authenticator: {
        identify() {
          throw Object.assign(new Error('unexpected'), { statusCode: 401 });
        },
      },
    });
    for (const path of [
      '/v1/spaces',
      'http://x/v1/spaces',
      'http://x/../v1/spaces',
      '/%761/spaces',
      '/v1/./spaces',
      '//v1/spaces',
    ]) {
      const { socket, received } = await closed.dial();
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await waitFor(`the answer to ${path}`, () => statuses(received()).length === 1);
      expect(statuses(received())[0]).toBeGreaterThanOrEqual(400);
    }
  });
});

describe('time', () => {
  test('a dripped request is cut off, a long wait is not', async () => {
    Object.assign(world.app.server, { requestTimeout: 300, headersTimeout: 300 });
    const waiting = await world.dial();
    waiting.socket.write(rawPost('in', { template: ['a'] }));
    await world.waiters(1);
    const [body, head, silent] = [await world.dial(), await world.dial(), await world.dial()];
    body.socket.write(rawPost('out', { tuple: ['never'] }).slice(0, -1));
    head.socket.write('POST /v1/spaces/s/out HTTP/1.1\r\nHost:');
    for (const { received, closed } of [body, head, silent]) {
      await waitFor('the end of the connection', closed);
      expect(statuses(received())).toEqual([408]);
    }
    await world.post('out', { tuple: ['a'] });
    await waitFor('the answer', () => waiting.received().includes('"tuple":["a"]'));
    await stillServes();
  });

  test('a request that never ends does not hold up the end of the server', async () => {
    using _ = withLimits({ drainMs: 50 });
    await using ending = await RestWorld.open();
    const { socket, closed } = await ending.dial();
    socket.write(`${rawPost('count', { template: ['a'] })}${rawPost('out', { tuple: ['a'] }).slice(0, -1)}`);
    await waitFor('the request', () => socket.bytesRead > 0);
    await ending.app.close();
    await waitFor('the end of the connection', closed);
  });

  test('has a bound everywhere, and the connection outlives the longest wait', () => {
    const { headersTimeout, requestTimeout, keepAliveTimeout, maxConnections, timeout } = world.app.server;
    for (const bound of [headersTimeout, requestTimeout, keepAliveTimeout, maxConnections]) {
      expect(bound).toBeGreaterThan(0);
    }
    expect(headersTimeout).toBeLessThanOrEqual(requestTimeout);
    expect(timeout).toBeGreaterThan(300_000);
  });
});

test('a connection goes on after an error', async () => {
  const both = `${rawPost('out', { tuple: [] })}${rawPost('out', { tuple: ['a'] })}`;
  expect(statuses(await answers(both, 2))).toEqual([400, 201]);
});
