/** A server in a process of its own, as a user starts it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const main = join(import.meta.dirname, '../client/cli/main.js');

export class ServerProcess implements AsyncDisposable {
  readonly #process: ChildProcess;
  /** `http://host:port`. */
  readonly url: string;

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  /** Resolves when the server says that it is ready. */
  static async start(file: string): Promise<ServerProcess> {
    const args = [main, 'serve', '--store', `sqlite:${file}`, '--port', '0'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface(child.stdout)) {
      const [, url] = / is ready at (\S+)/.exec(line) ?? [];
      if (url) return new ServerProcess(child, url);
    }
    throw new Error(`the server ended before it was ready: ${child.signalCode ?? child.exitCode}`);
  }

  /** Resident memory in MiB. */
  memory(): number {
    const kibibytes = execFileSync('ps', ['-o', 'rss=', '-p', String(this.#process.pid)], {
      encoding: 'utf8',
    });
    return Number(kibibytes) / 1024;
  }

  /** kill -9. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }

  /** Nobody needs its files any more. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
