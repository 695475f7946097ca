/** What the commands print: JSON lines on stdout, sentences on stderr. */
import { OutputClosed } from './status.js';

/** Writes each value as a line, and waits until the reader has them. Throws `OutputClosed` if it has gone. */
export function print(...values: readonly unknown[]): Promise<void> {
  const text = values.map(value => `${JSON.stringify(value)}\n`).join('');
  return new Promise((resolve, reject) => {
    process.stdout.write(text, error => {
      if (!error) return resolve();
      reject((error as NodeJS.ErrnoException).code === 'EPIPE' ? new OutputClosed('stdout is closed') : error);
    });
  });
}

export function say(message: string): void {
  process.stderr.write(`tuplet: ${message}\n`);
}
