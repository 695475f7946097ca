/** The commands as a user runs them: processes with pipes and signals, and a server that is a process too. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Client, connect, rest } from '../../client/node.js';
import { cleanUp, startServer, startTuplet, tuplet } from './processes.js';

let url: string;
let client: Client;

beforeAll(async () => {
  ({ url } = await startServer(['--store', 'memory:']));
  client = await connect(url);
});

afterAll(async () => {
  await client.close();
  await cleanUp();
});

const start = (...args: string[]) => startTuplet(args, { env: { TUPLET_URL: url } });
const run = (...args: string[]) => start(...args).ended;

/** Waits until so many requests wait in a space. */
const waiting = (space: string, waiters: number) =>
  vi.waitFor(async () => expect((await client.space(space).state()).waiters).toBe(waiters), 20_000);

describe('a command', () => {
  test('ends with 0 when it is done, 1 for no match, 2 for a slip, 3 for the server', async () => {
    expect(await run('out', 'jobs', '["job", 1]')).toMatchObject({ status: 0, stderr: '' });
    expect(await run('take', 'jobs', '["job", number]')).toEqual({
      status: 0,
      stdout: '["job",1]\n',
      stderr: '',
    });
    expect(await run('take', 'jobs', '["job", number]')).toEqual({ status: 1, stdout: '', stderr: '' });
    const slip = await run('take', 'jobs', '["job", nubmer]');
    expect(slip).toMatchObject({ status: 2, stdout: '' });
    expect(slip.stderr).toMatch(/^tuplet: template: .*nubmer.*\n {2}\["job", nubmer\]\n {10}\^\n$/);
    const refused = await run('take', 'locks', '[rest]');
    expect(refused).toMatchObject({
      status: 3,
      stdout: '',
      stderr: expect.stringMatching(/^tuplet: .*locks/),
    });
  });

  test('that cannot reach its server says so at once; another address is tried', async () => {
    const nobody = 'ws://127.0.0.1:1';
    const lost = await tuplet(['count', 'jobs', '--url', nobody]);
    expect(lost).toMatchObject({ status: 3, stdout: '', stderr: expect.stringContaining(nobody) });
    const counted = { status: 0, stdout: '0\n' };
    expect(await tuplet(['count', 'none', '--url', `${nobody},${url}`])).toMatchObject(counted);
    expect(await tuplet(['count', 'none', '--url', nobody, '--url', url])).toMatchObject(counted);
  });

  test('that waits prints what comes', async () => {
    const { ended } = start('in', 'wait', '["a", any]', '--timeout', '1m');
    await waiting('wait', 1);
    await client.space('wait').out(['a', { b: [1] }]);
    expect(await ended).toEqual({ status: 0, stdout: '["a",{"b":[1]}]\n', stderr: '' });
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('that waits takes nothing at %s, and ends with %i', async (signal, status) => {
    const { child, ended } = start('in', signal, '["a"]');
    await waiting(signal, 1);
    child.kill(signal);
    expect(await ended).toEqual({ status, stdout: '', stderr: '' });
    await client.space(signal).out(['a']);
    expect(await client.space(signal).count([rest])).toBe(1);
  });

  test('that took something for a stdout that has gone does not pass it over', async () => {
    const { child, ended } = start('in', 'gone', '["a"]');
    await waiting('gone', 1);
    child.stdout.destroy();
    await client.space('gone').out(['a']);
    expect(await ended).toMatchObject({ status: 3, stderr: expect.stringContaining('stdout') });
  });

  test('that scans writes all pages, and ends quietly when its reader has seen enough', async () => {
    for (let first = 0; first < 30_000; first += 10_000) {
      const some = Array.from({ length: 10_000 }, (_, at) => ['page', first + at, 'x'.repeat(30)]);
      await client.space('pages').outMany(some);
    }
    const { stdout } = await run('scan', 'pages');
    const tuples = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as [string, number]);
    expect(tuples.map(([, at]) => at)).toEqual(Array.from({ length: 30_000 }, (_, at) => at));

    const { child, ended } = start('scan', 'pages');
    child.stdout.once('data', () => child.stdout.destroy());
    expect(await ended).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('out from stdin', () => {
  const lines = Array.from({ length: 5_000 }, (_, at) => `["line", ${at}]`);
  const put = (space: string, input: string) => tuplet(['out', space, '-', '--url', url], { input });

  test('puts the tuples of all lines', async () => {
    const ended = await put('lines', `${lines.join('\n\n')}\n`);
    expect(ended).toEqual({ status: 0, stdout: '{"tuples":5000}\n', stderr: '' });
    const tuples: unknown[] = [];
    for await (const { tuple } of client.space('lines').scan([rest], { limit: 1_000 })) tuples.push(tuple);
    expect(tuples).toEqual(lines.map(line => JSON.parse(line)));
  });

  test('names a bad line, and says what was put before it', async () => {
    const input = [...lines.slice(0, 4_321), '["line", oops]', ...lines.slice(4_321)].join('\n');
    const ended = await put('bad', input);
    expect(ended).toMatchObject({ status: 2, stdout: '' });
    expect(ended.stderr).toContain('line 4322: "oops"');
    expect(ended.stderr).toContain('4321 tuples are put');
    expect(await client.space('bad').count([rest])).toBe(4_321);
  });

  test('says at SIGINT how far it came', async () => {
    const { child, ended } = startTuplet(['out', 'stopped', '-', '--url', url], { input: null });
    child.stdin.write(`${lines.join('\n')}\n`);
    const counted = async () =>
      expect(await client.space('stopped').count([rest])).toBeGreaterThanOrEqual(4_000);
    await vi.waitFor(counted, 20_000);
    child.kill('SIGINT');
    const { status, stderr } = await ended;
    const [, put] = /(\d+) tuples are put$/m.exec(stderr) ?? [];
    expect({ status, put }).toEqual({
      status: 130,
      put: String(await client.space('stopped').count([rest])),
    });
  });
});
