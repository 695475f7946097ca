/** `tuplet serve` as a process: settings, signals, kill -9, and a file or port that is taken. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { connect, rest } from '../../client/node.js';
import {
  cleanUp,
  type ServerProcess,
  startServer,
  startTuplet,
  temporaryDirectory,
  tuplet,
} from './processes.js';

afterEach(cleanUp);

const on = (file: string) => ['--store', `sqlite:${file}`];
const temporaryFile = () => join(temporaryDirectory(), 'space.db');

async function kill({ child, ended }: ServerProcess): Promise<void> {
  child.kill('SIGKILL');
  await ended;
}

describe('a server', () => {
  test('keeps its tuples through kill -9, and gives no position twice', async () => {
    const file = temporaryFile();
    const first = await startServer(on(file));
    const input = Array.from({ length: 2_000 }, (_, at) => `["kept", ${at}]\n`).join('');
    const put = await tuplet(['out', 'kept', '-', '--url', first.url], { input });
    expect(put).toMatchObject({ status: 0, stdout: '{"tuples":2000}\n' });
    await kill(first);

    const second = await startServer(on(file));
    await using client = await connect(second.url);
    const kept = client.space('kept');
    const { position } = await kept.out(['next']);
    const positions: (number | null)[] = [];
    const numbers: unknown[] = [];
    for await (const entry of kept.scan(['kept', Number], { limit: 1_000 })) {
      positions.push(entry.position);
      numbers.push(entry.tuple[1]);
    }
    expect(numbers).toEqual(Array.from({ length: 2_000 }, (_, at) => at));
    expect(Math.max(...positions.map(Number))).toBeLessThan(Number(position));
  });

  test('killed during an import has what was reported, and no more than what is in doubt', async () => {
    const file = temporaryFile();
    const first = await startServer(on(file));
    const { child, ended } = startTuplet(['out', 'cut', '-', '--url', first.url], { input: null });
    const lines = (from: number) =>
      Array.from({ length: 10_000 }, (_, at) => `["cut", ${from + at}]\n`).join('');
    child.stdin.write(lines(0));
    await using watcher = await connect(first.url, { maxAttempts: 1 });
    const some = async () => expect(await watcher.space('cut').count([rest])).toBeGreaterThanOrEqual(3_000);
    await vi.waitFor(some, 20_000);
    await kill(first);
    child.stdin.end(lines(10_000));
    const { status, stderr } = await ended;
    expect(status).toBe(3);
    const [, put, doubtful = '0'] = /^(\d+) tuples are put(?:; whether (\d+) more)?/m.exec(stderr) ?? [];

    const second = await startServer(on(file));
    await using client = await connect(second.url);
    const counted = await client.space('cut').count([rest]);
    expect(counted).toBeGreaterThanOrEqual(Number(put));
    expect(counted).toBeLessThanOrEqual(Number(put) + Number(doubtful));
  });

  test('drains at SIGTERM: who waits is told, and it ends with 0', async () => {
    const server = await startServer(['--store', 'memory:']);
    const { ended } = startTuplet(['in', 'jobs', '["never"]', '--url', server.url]);
    await using client = await connect(server.url, { maxAttempts: 1 });
    const waiting = async () => expect((await client.space('jobs').state()).waiters).toBe(1);
    await vi.waitFor(waiting, 20_000);
    server.child.kill('SIGTERM');
    expect(await ended).toMatchObject({ status: 3, stdout: '', stderr: expect.stringContaining(server.url) });
    expect(await server.ended).toMatchObject({ status: 0, stderr: expect.stringContaining('draining') });
  });

  test('refuses a file that another one has open, and a port, and says so', async () => {
    const file = temporaryFile();
    const { url } = await startServer(on(file));
    const sameFile = await tuplet(['serve', '--port', '0', ...on(file)]);
    expect(sameFile).toMatchObject({ status: 3, stdout: '' });
    expect(sameFile.stderr).toMatch(/^tuplet: .*space\.db is in use/);
    const { port } = new URL(url);
    const samePort = await tuplet(['serve', '--store', 'memory:', '--port', port]);
    expect(samePort).toMatchObject({ status: 3, stdout: '', stderr: expect.stringContaining(port) });
    await using client = await connect(url);
    expect(await client.space('jobs').count([rest])).toBe(0);
  });

  test('takes settings from a file and the environment; flags win; SIGINT ends it as well', async () => {
    const directory = temporaryDirectory();
    const config = join(directory, 'tuplet.json');
    writeFileSync(config, JSON.stringify({ store: 'sqlite:from-file.db', port: 1, token: 'sesame' }));
    const { url, child, ended } = await startServer(['--config', config, '--log'], {
      env: { TUPLET_STORE: 'sqlite:from-environment.db', TUPLET_PORT: '2' },
      cwd: directory,
    });
    const [none, flag, environment] = await Promise.all([
      tuplet(['count', 'jobs', '--url', url]),
      tuplet(['count', 'jobs', '--url', url, '--token', 'sesame']),
      tuplet(['count', 'jobs'], { env: { TUPLET_URL: url, TUPLET_TOKEN: 'sesame' } }),
    ]);
    expect(none).toMatchObject({ status: 3, stdout: '', stderr: expect.stringContaining('token') });
    expect([flag.status, environment.status]).toEqual([0, 0]);

    child.kill('SIGINT');
    const { status, stdout, stderr } = await ended;
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^[^\n]*\(store sqlite:from-environment\.db\)\n$/),
    });
    expect(stderr).toMatch(/^\{.*"level"/m);
  });
});
