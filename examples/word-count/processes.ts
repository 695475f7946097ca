/** The processes that the example starts. They end with it; the server only if it has time for that, which kill -9 does not give. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const children = new Set<ChildProcess>();
const directories = new Set<string>();

process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));

function start(module: string, args: readonly string[], stdout: 'inherit' | 'pipe'): ChildProcess {
  const child = fork(module, args, { stdio: ['ignore', stdout, 'inherit', 'ipc'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Starts a worker. `ended` resolves when it ends by itself, and rejects when something else ends it. */
export function startWorker(url: string, run: string): { readonly ended: Promise<void> } {
  const child = start(fileURLToPath(new URL('./worker.js', import.meta.url)), [url, run], 'inherit');
  const ended = once(child, 'exit').then(([status]) => {
    if (status !== 0) throw new Error('a worker has failed');
  });
  return { ended };
}

export interface Server extends AsyncDisposable {
  readonly url: string;
}

/** Starts a tuplet server on a free port, with a database that goes away with it. */
export async function startServer(): Promise<Server> {
  const directory = mkdtempSync(join(tmpdir(), 'word-count-'));
  directories.add(directory);
  const cli = fileURLToPath(new URL('dist/client/cli/main.js', import.meta.resolve('tuplet/package.json')));
  const child = start(
    cli,
    ['serve', '--port', '0', '--store', `sqlite:${join(directory, 'tuplet.db')}`],
    'pipe',
  );
  const exit = once(child, 'exit');
  const url = await Promise.race([readyAddress(child), exit.then(() => undefined)]);
  if (url === undefined) throw new Error('the server has not started');
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exit;
    },
  };
}

/** The address in the line that a server prints when it is ready. */
async function readyAddress(child: ChildProcess): Promise<string | undefined> {
  if (!child.stdout) throw new Error('stdout is a pipe');
  for await (const line of createInterface(child.stdout)) {
    const [, url] = /ready at (\S+)/.exec(line) ?? [];
    if (url !== undefined) return url;
  }
  return undefined;
}
