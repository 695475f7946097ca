/**
 * Real processes: the program that the build made, as a user runs it. They are what these tests are about; all else of the CLI is tested
 * in this process. Each has a port that was free, and none outlives its test.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
export const cli = join(root, 'dist/client/cli/main.js');

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
}

const running = new Set<ChildProcessWithoutNullStreams>();
const directories = new Set<string>();

function killAll(): void {
  for (const child of running) {
    try {
      // The group: what a test starts may have started others.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has just ended by itself.
    }
  }
}
process.once('exit', killAll);

/** Ends whatever still runs, and removes what was written. For afterEach or afterAll. */
export async function cleanUp(): Promise<void> {
  const ends = [...running].map(child => once(child, 'close'));
  killAll();
  await Promise.all(ends);
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  directories.clear();
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tuplet-test-'));
  directories.add(directory);
  return directory;
}

interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Without it stdin ends at once; null leaves it open. */
  readonly input?: string | null;
}

/** Starts `node` with a program that the build made. */
export function startNode(
  args: readonly string[],
  { env = {}, cwd = root, input = '' }: StartOptions = {},
): Running {
  const clean = Object.entries(process.env).filter(([name]) => !/^(TUPLET|NODE|VITEST)_/.test(name));
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...Object.fromEntries(clean), ...env },
    detached: true,
  });
  running.add(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A program that ends before it has read its input closes the pipe.
  child.stdin.on('error', () => {});
  if (input !== null) child.stdin.end(input);
  const ended = once(child, 'close').then(([status]) => {
    running.delete(child);
    return { status: status as number | null, stdout, stderr };
  });
  return { child, ended };
}

/** Starts `tuplet` with these arguments. */
export const startTuplet = (args: readonly string[], options?: StartOptions): Running =>
  startNode([cli, ...args], options);

/** Runs `tuplet` to its end. */
export const tuplet = (args: readonly string[], options?: StartOptions): Promise<Ended> =>
  startTuplet(args, options).ended;

export interface ServerProcess extends Running {
  /** `ws://127.0.0.1:port` */
  readonly url: string;
}

/** Starts `tuplet serve` on a free port, and waits for the line that says that it is ready. */
export async function startServer(
  args: readonly string[] = [],
  options?: StartOptions,
): Promise<ServerProcess> {
  const server = startTuplet(['serve', '--port', '0', ...args], options);
  let line = '';
  for await (const [text] of ready(server)) {
    line += text;
    const [, port] = /^tuplet is ready at http:\/\/[^ ]*:(\d+) .*\n/.exec(line) ?? [];
    if (port !== undefined) return { ...server, url: `ws://127.0.0.1:${port}` };
  }
  throw new Error(`the server has not started: ${JSON.stringify(await server.ended)}`);
}

/** What the server prints, until it has ended. */
async function* ready({ child, ended }: Running): AsyncGenerator<[string], void, undefined> {
  const over = ended.then(() => undefined);
  for (;;) {
    const text = await Promise.race([once(child.stdout, 'data') as Promise<[string]>, over]);
    if (text === undefined) return;
    yield text;
  }
}
