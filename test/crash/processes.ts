/** The processes of the kill rounds: the built server, and the load of load.ts, which is bundled when it is needed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import type { Order, Report } from './load.js';

/** Through the package's own name: this file may run as it stands or bundled, elsewhere. */
const root = dirname(createRequire(import.meta.url).resolve('tuplet/package.json'));

/**
 * A free port that no outgoing connection is given. One that is would do harm: a client that knocks at a closed port may be given that very
 * port as its own and meet itself there.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const probe = createServer().listen(port, '127.0.0.1');
    const free = await once(probe, 'listening').then(
      () => true,
      () => false,
    );
    probe.close();
    if (free) return port;
  }
}

export class Server {
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  /** Rejects when the process ends before it is ready. */
  readonly ready: Promise<void>;

  constructor(file: string, port: number) {
    const main = join(root, 'dist/client/cli/main.js');
    const args = [main, 'serve', '--store', `sqlite:${file}`, '--port', String(port)];
    this.#process = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#exited = once(this.#process, 'exit');
    this.ready = this.#ready();
    this.ready.catch(() => {});
  }

  async #ready(): Promise<void> {
    if (!this.#process.stdout) throw new Error('stdout is a pipe');
    for await (const line of createInterface(this.#process.stdout)) if (line.includes(' is ready ')) return;
    await this.#exited;
    const { signalCode, exitCode } = this.#process;
    throw new Error(`the server ended before it was ready: ${signalCode ?? exitCode}`);
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }
}

/** The program of a client process. */
export async function bundleLoad(): Promise<string> {
  const bundle = await build({
    entryPoints: [join(root, 'test/crash/load.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
  });
  return (bundle.outputFiles[0] as { text: string }).text;
}

export class LoadProcess {
  readonly #process: ChildProcess;
  readonly #reports: Report[] = [];
  #wake: () => void = () => {};
  #ended = false;

  constructor(program: string, url: string, client: number) {
    // Run from the root, so that the package finds itself by its name.
    const args = ['--input-type=module', '--eval', program, url, String(client)];
    this.#process = spawn(process.execPath, args, {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#process.on('message', (report: Report) => {
      this.#reports.push(report);
      this.#wake();
    });
    this.#process.on('exit', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  send(order: Order): void {
    this.#process.send(order);
  }

  /** The next report of a kind; earlier ones of other kinds are passed over. */
  async report<S extends Report['say']>(say: S): Promise<Extract<Report, { say: S }>> {
    for (;;) {
      const report = this.#reports.shift();
      if (report?.say === say) return report as Extract<Report, { say: S }>;
      if (report) continue;
      if (this.#ended) throw new Error(`a client process ended before it said ${say}`);
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}
