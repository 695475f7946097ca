/** What only real sockets can tell: the client contract over WebSocket, and peers that do not behave. */
import { createConnection } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { connect } from '../../client/node.js';
import { startServer, type TupletServer } from '../../server/server.js';
import { limits } from '../../shared/limits.js';
import { clientContract } from '../contract/client.js';
import { waitFor } from '../support/wait-for.js';

let server: TupletServer;
beforeAll(async () => {
  server = await startServer({ store: 'memory:', port: 0 });
});
afterAll(() => server.close());

clientContract('ws:', () => connect(server.url.replace('http', 'ws')));
clientContract('an address given as http:, after one that does not answer', () =>
  connect(['ws://127.0.0.1:1', server.url]),
);

interface Peer {
  readonly socket: WebSocket;
  readonly heard: unknown[];
  readonly closed: Promise<{ code: number; reason: string }>;
}

async function peer(options: object = {}, path = '/v1/ws'): Promise<Peer> {
  const socket = new WebSocket(server.url.replace('http', 'ws') + path, options);
  const heard: unknown[] = [];
  socket.on('message', (data: Buffer) => heard.push(...(JSON.parse(data.toString()) as unknown[])));
  const closed = new Promise<{ code: number; reason: string }>(resolve => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  await new Promise((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('error', reject);
  });
  socket.on('error', () => {});
  return { socket, heard, closed };
}

describe('peers that do not behave', () => {
  /** The server goes on, whatever was sent to it. */
  beforeEach(() => async () => {
    await using client = await connect(server.url);
    await client.space('alive').out(['still', 'here']);
    expect(await client.space('alive').take(['still', 'here'])).toEqual(['still', 'here']);
  });

  test.each<[string, string | Buffer, RegExp]>([
    ['text that is not JSON', '[{"hello":', /not JSON/],
    ['JSON that is no array', '{"hello": 1}', /array/],
    ['a binary message', Buffer.from('[{"hello":1}]'), /text/],
    ['too many messages', JSON.stringify(Array.from({ length: limits.frameMessages + 1 }, () => 0)), /over/],
    ['nothing of the protocol', '[{"hi": 1}]', /none of the keys/],
  ])('%s is answered by bye, and the end', async (_name, frame, message) => {
    const { socket, heard, closed } = await peer();
    socket.send(frame);
    await closed;
    expect(heard).toMatchObject([{ bye: { message: expect.stringMatching(message) }, again: false }]);
  });

  test('a frame over the bound ends the connection', async () => {
    const { socket, closed } = await peer();
    socket.send(`["${'x'.repeat(limits.frameBytes)}"]`);
    expect((await closed).code).toBe(1009);
  });

  test('a flood of fragments ends the connection', async () => {
    const { socket, closed } = await peer();
    for (let part = 0; part <= limits.frameFragments; part++) socket.send(' ', { fin: false });
    expect((await closed).code).not.toBe(1000);
  });

  test('text that is not UTF-8 ends the connection', async () => {
    const { socket, closed } = await peer();
    socket.send(Buffer.from([0x5b, 0xff, 0xfe, 0x5d]), { binary: false });
    expect((await closed).code).toBe(1007);
  });

  test('a page of another site is not let in', async () => {
    await expect(peer({ origin: 'http://evil.example' })).rejects.toThrow('403');
  });

  test('a page of this server is', async () => {
    const { socket, closed } = await peer({ origin: server.url });
    socket.close();
    await closed;
  });

  test('a broken handshake is refused, and a half-open one let go', async () => {
    const { hostname, port } = new URL(server.url);
    const raw = createConnection({ host: hostname, port: Number(port) });
    let answer = '';
    raw.on('data', data => {
      answer += data;
    });
    raw.write('GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    await waitFor('an answer', () => answer !== '');
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d/);
    raw.destroy();
  });

  test('a client that goes away while it waits takes nothing', async () => {
    await using client = await connect(server.url);
    const { socket, heard } = await peer();
    socket.send('[{"hello":1},{"op":"in","n":1,"space":"gone","template":["a"]}]');
    await waitFor('the waiter', async () => (await client.space('gone').state()).waiters === 1);
    socket.terminate();
    await waitFor('its end', async () => (await client.space('gone').state()).waiters === 0);
    await client.space('gone').out(['a']);
    expect(await client.space('gone').count(['a'])).toBe(1);
    expect(heard).toHaveLength(1);
  });
});

describe('when the server drains', () => {
  test('running calls are answered, waiting ones told to come back, and the SDK does', async () => {
    const first = await startServer({ store: 'memory:', port: 0 });
    const second = await startServer({ store: 'memory:', port: 0 });
    const client = await connect([first.url, second.url], { minDelay: 1 });
    const put = client.space('s').out(['a']);
    const waiting = client.space('s').in(['b']);
    await put;
    await first.close();
    await using other = await connect(second.url);
    await other.space('s').out(['b']);
    expect(await waiting).toEqual(['b']);
    await client.close();
    await second.close();
  });
});
