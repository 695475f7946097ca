/** Server-sent events need a port: a stream has no end that an injected request could wait for. */
import { get, type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../client/node.js';
import { startServer, type TupletServer } from '../../server/server.js';
import { waitFor } from '../support/wait-for.js';

let server: TupletServer;
beforeAll(async () => {
  server = await startServer({ store: 'memory:', port: 0 });
});
afterAll(() => server.close());

interface SentEvent {
  readonly id: number;
  readonly type: string;
  readonly data: { readonly event: number; readonly entry?: { readonly tuple: unknown } };
}

class EventStream {
  text = '';
  ended = false;
  readonly response: IncomingMessage;

  constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding('utf8').on('data', part => {
      this.text += part;
    });
    response.on('close', () => {
      this.ended = true;
    });
  }

  get events(): SentEvent[] {
    const blocks = this.text.split('\n\n').filter(block => block.startsWith('id: '));
    return blocks.map(block => {
      const [id, type, data] = block.split('\n').map(line => line.slice(line.indexOf(': ') + 2)) as [
        string,
        string,
        string,
      ];
      return { id: Number(id), type, data: JSON.parse(data) as SentEvent['data'] };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.response.destroy();
  }
}

const template = encodeURIComponent('["a",{"$any":true}]');

const open = (space: string, headers: Record<string, string> = {}): Promise<EventStream> =>
  new Promise((resolve, reject) => {
    const url = `${server.url}/v1/spaces/${space}/watch?template=${template}`;
    get(url, { headers }, response => resolve(new EventStream(response))).on('error', reject);
  });

const post = (space: string, body: object): Promise<EventStream> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    request(`${server.url}/v1/spaces/${space}/watch`, { method: 'POST', headers }, response =>
      resolve(new EventStream(response)),
    )
      .on('error', reject)
      .end(JSON.stringify(body));
  });

describe('watch over HTTP', () => {
  test('sends events, and goes on behind Last-Event-ID', async () => {
    await using client = await connect(server.url);
    const space = client.space('sse');
    const first = await open('sse');
    expect(first.response.headers['content-type']).toBe('text/event-stream');
    await waitFor('the beginning', () => first.events.length === 1);
    expect(first.events[0]).toMatchObject({ type: 'watching' });
    await space.out(['a', 1]);
    await space.out(['b', 1]);
    await space.take(['a', 1]);
    await waitFor('the events', () => first.events.length === 3);
    expect(first.events.slice(1)).toMatchObject([
      { type: 'out', data: { entry: { tuple: ['a', 1] } } },
      { type: 'taken', data: { entry: { tuple: ['a', 1] } } },
    ]);
    for (const { id, data } of first.events) expect(data.event).toBe(id);
    await first[Symbol.asyncDispose]();
    await waitFor('its end', async () => (await space.state()).watches === 0);

    await space.out(['a', 2]);
    await using second = await open('sse', { 'Last-Event-ID': String(first.events.at(-1)?.id) });
    await waitFor('the missed event', () => second.events.length === 2);
    expect(second.events[1]).toMatchObject({ type: 'out', data: { entry: { tuple: ['a', 2] } } });
  });

  test('is begun by POST as well', async () => {
    await using client = await connect(server.url);
    await using stream = await post('posted', { template: ['a', { $any: true }] });
    await waitFor('the beginning', () => stream.events.length === 1);
    await client.space('posted').out(['a', 1]);
    await waitFor('the event', () => stream.events.length === 2);
    expect(stream.events[1]).toMatchObject({ type: 'out' });
  });

  test.each([
    ['no template', '', {}, 'template'],
    ['a template that is not JSON', '?template=[', {}, 'template'],
    ['a bad template', '?template=[{"$gt":null}]', {}, 'template[0]'],
    ['an unknown parameter', `?template=${template}&colour=red`, {}, 'colour'],
    ['a bad Last-Event-ID', `?template=${template}`, { 'Last-Event-ID': 'x' }, 'Last-Event-ID'],
    ['an event that is still to come', `?template=${template}&after=999999999`, {}, 'after'],
  ])('%s is refused', async (_name, query, headers, field) => {
    const response = await fetch(`${server.url}/v1/spaces/s/watch${query}`, { headers });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await response.json()).toMatchObject({ code: 'invalid', field });
  });

  test('ends when the server does', async () => {
    const other = await startServer({ store: 'memory:', port: 0 });
    const stream = await new Promise<EventStream>(resolve => {
      get(`${other.url}/v1/spaces/s/watch?template=${template}`, response =>
        resolve(new EventStream(response)),
      );
    });
    await waitFor('the beginning', () => stream.events.length === 1);
    await other.close();
    await waitFor('the end', () => stream.ended);
  });
});
