/** How far an import is, on stderr if that is a terminal: a bar where the size of the input is known, else a number. */
import { fstatSync } from 'node:fs';
import type { Tally } from './put-lines.js';

export interface Progress extends Disposable {
  show(tally: Tally): void;
}

const silent: Progress = { show: () => {}, [Symbol.dispose]: () => {} };

export async function showProgress(): Promise<Progress> {
  if (!process.stderr.isTTY) return silent;
  const { default: cliProgress } = await import('cli-progress');
  const size = inputBytes();
  const bar = new cliProgress.SingleBar({
    format:
      size === undefined ? '{tuples} tuples' : '{bar} {percentage}% | {tuples} tuples | {eta_formatted} left',
    // Signals are ours.
    gracefulExit: false,
  });
  bar.start(size ?? 0, 0, { tuples: 0 });
  return {
    show: ({ tuples, bytes }) => bar.update(size === undefined ? 0 : bytes, { tuples }),
    [Symbol.dispose]: () => bar.stop(),
  };
}

/** Bytes of stdin, if it is a file. */
function inputBytes(): number | undefined {
  const stat = fstatSync(process.stdin.fd);
  return stat.isFile() ? stat.size : undefined;
}
