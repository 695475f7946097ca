/** The engine inside the process: no server, no socket. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { any, connect } from '../../client/node.js';
import { clientContract } from '../contract/client.js';

const folder = mkdtempSync(join(tmpdir(), 'tuplet-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const freshFile = () => `sqlite:${join(folder, `${++files}.db`)}`;

clientContract('memory:', () => connect('memory:'));
const file = freshFile();
clientContract('sqlite:FILE', () => connect(file));

describe('embedded engines', () => {
  test('a file keeps its tuples', async () => {
    const url = freshFile();
    for (const run of [1, 2, 3]) {
      await using client = await connect(url);
      await client.space('s').out(['run', run]);
      expect(await client.space('s').count(['run', any])).toBe(run);
    }
  });

  test('clients of one file share an engine, so that one wakes the other', async () => {
    const url = freshFile();
    await using one = await connect(url);
    await using other = await connect(url);
    const waiting = one.space('s').in(['ball']);
    await other.space('s').out(['ball']);
    expect(await waiting).toEqual(['ball']);
  });

  test('a name in memory is shared, no name is not', async () => {
    await using one = await connect('memory:table');
    await using other = await connect('memory:table');
    await using stranger = await connect('memory:');
    await one.space('s').out(['ball']);
    expect(await other.space('s').take(['ball'])).toEqual(['ball']);
    expect(await stranger.space('s').count(['ball'])).toBe(0);
  });

  test('an engine ends with its last client, and a file can be opened again at once', async () => {
    const url = freshFile();
    const clients = await Promise.all([connect(url), connect(url)]);
    await clients[0].space('s').out(['kept']);
    await Promise.all(clients.map(client => client.close()));
    await using again = await connect(url);
    expect(await again.space('s').read(['kept'])).toEqual(['kept']);
  });

  test.each([
    ['postgres://x', 'invalid'],
    ['ftp://x', 'invalid'],
    ['', 'invalid'],
    ['sqlite:/no/such/folder/x.db', 'unavailable'],
  ])('%s is refused with a reason', async (url, code) => {
    await expect(connect(url)).rejects.toMatchObject({ code });
  });
});
