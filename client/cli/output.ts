/** What the commands print: JSON lines on stdout, sentences on stderr. */
import { OutputClosed, OutputFailed } from './status.js';

/** Writes each value as a line, and waits until the reader has them. Throws `OutputFailed`, `OutputClosed` if the reader has gone. */
export function print(...values: readonly unknown[]): Promise<void> {
  const text = values.map(value => `${JSON.stringify(value)}\n`).join('');
  return new Promise((resolve, reject) => {
    process.stdout.write(text, error => {
      if (!error) return resolve();
      const { code, message } = error as NodeJS.ErrnoException;
      reject(new (code === 'EPIPE' ? OutputClosed : OutputFailed)(`stdout: ${message}`));
    });
  });
}

export function say(message: string): void {
  process.stderr.write(`tuplet: ${message}\n`);
}
