/** The commands in this process, on an engine in this process: what they ask, what they print, and how they end. */
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { run as runHere } from '../../client/cli/program.js';
import { type Client, connect, rest } from '../../client/node.js';

const url = 'memory:commands';
let client: Client;

beforeAll(async () => {
  vi.stubEnv('TUPLET_URL', url);
  client = await connect(url);
});

afterEach(() => vi.restoreAllMocks());

afterAll(async () => {
  vi.unstubAllEnvs();
  await client.close();
});

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command, and catches what it writes. One at a time. */
async function run(...args: string[]): Promise<Ended> {
  const [stdout, stderr] = [capture(process.stdout), capture(process.stderr)];
  const status = await runHere(args);
  return { status, stdout: stdout(), stderr: stderr() };
}

function capture(stream: NodeJS.WriteStream): () => string {
  let all = '';
  vi.spyOn(stream, 'write').mockImplementation((text, ...more: unknown[]) => {
    all += String(text);
    const written = more.at(-1);
    if (typeof written === 'function') written();
    return true;
  });
  return () => all;
}

const linesOf = ({ stdout }: Ended): unknown[] =>
  stdout
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line));

describe('out', () => {
  test('prints id and position', async () => {
    const ended = await run('out', 'out', '["job", 1, {"a": null}]');
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(linesOf(ended)).toEqual([{ id: expect.any(Number), position: expect.any(Number) }]);
    expect(await client.space('out').read(['job', 1, { a: null }])).not.toBeNull();
  });

  test('with --unless prints what stands in the way, with status 1', async () => {
    const { id } = await client.space('unless').out(['leader', 'a']);
    const refused = await run('out', 'unless', '["leader", "b"]', '--unless', '["leader", any]');
    expect(refused).toMatchObject({ status: 1, stderr: '' });
    expect(linesOf(refused)).toEqual([{ created: false, existing: id }]);
    expect(await run('out', 'unless', '["leader", "b"]', '--unless', '["other"]')).toMatchObject({
      status: 0,
    });
  });

  test('with --delay has no position yet; --ttl is kept', async () => {
    const delayed = await run('out', 'times', '["later"]', '--delay', '1h');
    expect(linesOf(delayed)).toEqual([{ id: expect.any(Number), position: null }]);
    expect(await run('out', 'times', '["short"]', '--ttl', '1d')).toMatchObject({ status: 0 });
    const entry = await client.space('times').rd(['short'], { entry: true });
    expect((entry.expires ?? 0) - entry.created).toBe(86_400_000);
  });

  test('outMany prints the ids', async () => {
    const ended = await run('outMany', 'many', '[["a"], ["b", 2]]');
    expect(ended.status).toBe(0);
    expect(linesOf(ended)).toEqual([{ id: expect.any(Number) }, { id: expect.any(Number) }]);
    expect(await client.space('many').count([rest])).toBe(2);
  });
});

describe('in, rd, take, read', () => {
  test('print the tuple; in and take remove it', async () => {
    const space = client.space('look');
    await space.outMany([1, 2, 3].map(at => ['a', at]));
    expect(linesOf(await run('rd', 'look', '["a", number]'))).toEqual([['a', 1]]);
    expect(linesOf(await run('read', 'look', '["a", any]', '--order', 'newest'))).toEqual([['a', 3]]);
    expect(linesOf(await run('in', 'look', '["a", {"$gt": 1}]'))).toEqual([['a', 2]]);
    expect(linesOf(await run('take', 'look', '[string, rest]', '--order', '1:desc'))).toEqual([['a', 3]]);
    expect((await space.scan([rest])).entries.map(({ tuple }) => tuple)).toEqual([['a', 1]]);
  });

  test('a template of several', async () => {
    await client.space('anyOf').out(['b', { x: 1 }]);
    const ended = await run('rd', 'anyOf', '{"$anyOf": [["a"], ["b", {"x": integer}]]}');
    expect(linesOf(ended)).toEqual([['b', { x: 1 }]]);
  });

  test('--entry prints all that is known', async () => {
    const { id, position } = await client.space('entry').out(['a']);
    const [entry] = linesOf(await run('take', 'entry', '["a"]', '--entry'));
    expect(entry).toEqual({ id, position, tuple: ['a'], returns: 0, created: expect.any(Number) });
  });

  test.each([
    ['take', '["a"]'],
    ['read', '[rest]'],
    ['in', '["a"]', '--timeout', '20ms'],
    ['rd', '["a"]', '--timeout', '20'],
    ['takeMany', '["a"]'],
    ['scan'],
  ])('%s without a match is status 1 and nothing on stdout', async (command, ...args) => {
    expect(await run(command, 'none', ...args)).toMatchObject({ status: 1, stdout: '' });
  });
});

describe('takeMany, scan, count', () => {
  test('take, print and count what matches', async () => {
    const space = client.space('several');
    await space.outMany([0, 1, 2, 3, 4].map(at => ['n', at]));
    const [, second] = (await space.scan([rest])).entries;
    const printed = async (...args: string[]) => linesOf(await run(...args));
    expect(await printed('scan', 'several')).toEqual([0, 1, 2, 3, 4].map(at => ['n', at]));
    expect(await printed('scan', 'several', '["n", {"$gte": 1}]', '--limit', '2')).toEqual([
      ['n', 1],
      ['n', 2],
    ]);
    const after = await printed('scan', 'several', '--after', String(second?.position));
    expect(after).toEqual([2, 3, 4].map(at => ['n', at]));
    const [entry] = await printed('scan', 'several', '["n", 4]', '--entry');
    expect(entry).toMatchObject({ tuple: ['n', 4], returns: 0 });
    expect(await printed('count', 'several')).toEqual([5]);
    expect(await printed('count', 'several', '["n", {"$lt": 2}]')).toEqual([2]);
    expect(await printed('takeMany', 'several', '[rest]', '--limit', '3')).toHaveLength(3);
    expect(await run('count', 'several', '["n", 0]')).toMatchObject({ status: 0, stdout: '0\n' });
  });

  test('a limit may be more than one page', async () => {
    await client.space('pages').outMany(Array.from({ length: 2_500 }, (_, at) => ['n', at]));
    expect(linesOf(await run('scan', 'pages', '--limit', '2100'))).toHaveLength(2_100);
    expect(linesOf(await run('scan', 'pages'))).toHaveLength(2_500);
  });
});

describe('usage', () => {
  test.each([
    ['no command'],
    ['an unknown command', 'nope'],
    ['an unknown option', 'count', 'jobs', '--fast'],
    ['a missing argument', 'in', 'jobs'],
    ['one too many', 'count', 'jobs', '[rest]', 'more'],
    ['a bare word that is none', 'rd', 'jobs', '["a", nubmer]'],
    ['bad JSON', 'out', 'jobs', '["a"'],
    ['a word in a tuple', 'out', 'jobs', '["a", number]'],
    ['an unknown formal', 'rd', 'jobs', '[{"$nope": 1}]'],
    ['no duration', 'in', 'jobs', '[any]', '--timeout', 'soon'],
    ['too long a duration', 'in', 'jobs', '[any]', '--timeout', '9999d'],
    ['no order', 'in', 'jobs', '[any]', '--order', 'best'],
    ['too many at once', 'takeMany', 'jobs', '[any]', '--limit', '99999'],
    ['a bad name', 'count', '.jobs'],
    ['no address', 'count', 'jobs', '--url', 'here'],
    ['an address of no kind', 'count', 'jobs', '--url', 'ftp://here'],
    ['--unless for many', 'out', 'jobs', '-', '--unless', '["a"]'],
    ['no port', 'serve', '--port', 'x'],
    ['a port too high', 'serve', '--port', '70000'],
    ['no store', 'serve', '--store', 'file.db'],
    ['a settings file that is not there', 'serve', '--config', '/nowhere/tuplet.json'],
  ])('%s is status 2, with a word on stderr', async (_, ...args) => {
    const ended = await run(...args);
    expect(ended).toMatchObject({ status: 2, stdout: '' });
    expect(ended.stderr).not.toBe('');
    expect(ended.stderr).not.toContain('    at ');
  });

  test('--help lists every command and status; each command has its own', async () => {
    const help = await run('--help');
    expect(help).toMatchObject({ status: 0, stderr: '' });
    const commands = ['serve', 'out', 'outMany', 'in', 'rd', 'take', 'read', 'takeMany', 'scan', 'count'];
    for (const command of commands) {
      expect(help.stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
      expect((await run(command, '--help')).stdout).toContain(`Usage: tuplet ${command} `);
    }
    for (const status of [0, 1, 2, 3, 130]) expect(help.stdout).toMatch(new RegExp(`^  ${status} `, 'm'));
  });

  test('--version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await run('--version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });
});
