/** `tuplet serve` as a process: settings, signals, kill -9, and a file that is taken. */
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
    expect(await tuplet(['out', 'kept', '-', '--url', first.url], { input })).toMatchObject({ status: 0 });
    const last = await tuplet(['out', 'kept', '["last"]', '--url', first.url]);
    await kill(first);

    const second = await startServer(on(file));
    expect(await tuplet(['count', 'kept', '--url', second.url])).toMatchObject({ stdout: '2001\n' });
    const next = await tuplet(['out', 'kept', '["next"]', '--url', second.url]);
    expect(JSON.parse(next.stdout).position).toBeGreaterThan(JSON.parse(last.stdout).position);
  });

  test('killed during an import: the tuples that were reported are there, and no more than those in doubt', async () => {
    const file = temporaryFile();
    const first = await startServer(on(file));
    const { child, ended } = startTuplet(['out', 'cut', '-', '--url', first.url], { input: null });
    const lines = (from: number) =>
      Array.from({ length: 10_000 }, (_, at) => `["cut", ${from + at}]\n`).join('');
    child.stdin.write(lines(0));
    await using client = await connect(first.url);
    await vi.waitFor(
      async () => expect(await client.space('cut').count([rest])).toBeGreaterThanOrEqual(3_000),
      20_000,
    );
    await kill(first);
    child.stdin.end(lines(10_000));
    const { status, stderr } = await ended;
    expect(status).toBe(3);
    const [, put = '', doubtful = '0'] = /^(\d+) tuples are put(?:; whether (\d+) more)?/m.exec(stderr) ?? [];

    const second = await startServer(on(file));
    const counted = Number((await tuplet(['count', 'cut', '--url', second.url])).stdout);
    expect(counted).toBeGreaterThanOrEqual(Number(put));
    expect(counted).toBeLessThanOrEqual(Number(put) + Number(doubtful));
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'drains at %s: who waits is told, and it ends with 0',
    async signal => {
      const server = await startServer(['--store', 'memory:']);
      const { ended } = startTuplet(['in', 'jobs', '["never"]', '--url', server.url]);
      await using client = await connect(server.url);
      await vi.waitFor(async () => expect((await client.space('jobs').state()).waiters).toBe(1), 20_000);
      server.child.kill(signal);
      expect(await ended).toMatchObject({
        status: 3,
        stdout: '',
        stderr: expect.stringContaining(server.url),
      });
      expect(await server.ended).toMatchObject({ status: 0, stderr: expect.stringContaining('draining') });
    },
  );

  test('refuses a file that another one has open, and says so', async () => {
    const file = temporaryFile();
    const first = await startServer(on(file));
    const second = await tuplet(['serve', '--port', '0', ...on(file)]);
    expect(second).toMatchObject({ status: 3, stdout: '' });
    expect(second.stderr).toContain(`${file} is in use`);
    expect(await tuplet(['count', 'jobs', '--url', first.url])).toMatchObject({ status: 0 });
  });

  test('refuses a port that is taken', async () => {
    const { url } = await startServer(['--store', 'memory:']);
    const second = await tuplet(['serve', '--store', 'memory:', '--port', new URL(url).port]);
    expect(second).toMatchObject({
      status: 3,
      stdout: '',
      stderr: expect.stringContaining(new URL(url).port),
    });
  });

  test('lets in who has its token', async () => {
    const { url } = await startServer(['--store', 'memory:', '--token', 'open sesame']);
    const [none, wrong, flag, environment] = await Promise.all([
      tuplet(['count', 'jobs', '--url', url]),
      tuplet(['count', 'jobs', '--url', url, '--token', 'please']),
      tuplet(['count', 'jobs', '--url', url, '--token', 'open sesame']),
      tuplet(['count', 'jobs'], { env: { TUPLET_URL: url, TUPLET_TOKEN: 'open sesame' } }),
    ]);
    expect(none).toMatchObject({ status: 3, stdout: '', stderr: expect.stringContaining('token') });
    expect(wrong).toMatchObject({ status: 3, stdout: '' });
    expect([flag.status, environment.status]).toEqual([0, 0]);
  });

  test('takes settings from a file and the environment; flags win', async () => {
    const directory = temporaryDirectory();
    const config = join(directory, 'tuplet.json');
    const file = join(directory, 'from-environment.db');
    writeFileSync(config, JSON.stringify({ store: 'sqlite:from-file.db', port: 1, token: 'from file' }));
    const { url, child, ended } = await startServer(['--config', config, '--log'], {
      env: { TUPLET_STORE: `sqlite:${file}`, TUPLET_PORT: '2' },
      cwd: directory,
    });
    expect(await tuplet(['out', 'a', '["b"]', '--url', url, '--token', 'from file'])).toMatchObject({
      status: 0,
    });
    child.kill('SIGTERM');
    const { status, stdout, stderr } = await ended;
    expect(status).toBe(0);
    expect(stdout).toContain(file);
    expect(stdout.split('\n')).toHaveLength(2);
    expect(stderr).toMatch(/^\{.*"level"/m);
  });
});
