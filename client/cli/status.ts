/** The exit statuses: which they are, and which error ends in which. */
import { CommanderError } from 'commander';
import { type ErrorCode, TupletError } from '../node.js';

export const status = {
  ok: 0,
  /** Nothing matched, or not in time; or something stood in the way of `out --unless`. */
  noMatch: 1,
  usage: 2,
  /** The server, or stdout: something outside. */
  server: 3,
} as const;

/** The user has written something that cannot be meant. The message says what, and where. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Stdout does not take what is to be written. */
export class OutputFailed extends Error {
  override readonly name: string = 'OutputFailed';
}

/** The reader of stdout has gone (`| head -1`): it has seen enough. */
export class OutputClosed extends OutputFailed {
  override readonly name = 'OutputClosed';
}

/** A signal ended the command; nothing was taken. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor(readonly signal: 'SIGINT' | 'SIGTERM') {
    super(signal);
  }
}

/** An import has ended before its input. The message says how far it came, the cause why. */
export class Unfinished extends Error {
  override readonly name = 'Unfinished';
  constructor(message: string, cause: unknown) {
    super(message, { cause });
  }
}

const ofCode: { readonly [C in ErrorCode]?: number } = {
  timeout: status.noMatch,
  invalid: status.usage,
  too_large: status.usage,
};

/** How an error ends the process: its status, and what stderr is told, if anything. */
export function endingOf(error: unknown): { readonly status: number; readonly message?: string } {
  if (error instanceof CommanderError) {
    // Commander has said what there is to say. `--help` and `--version` come here too, with 0.
    return { status: error.exitCode === 0 ? status.ok : status.usage };
  }
  if (error instanceof OutputClosed) return { status: status.ok };
  if (error instanceof Interrupted) return { status: error.signal === 'SIGINT' ? 130 : 143 };
  if (error instanceof Unfinished) {
    const { status, message } = endingOf(error.cause);
    return { status, message: message === undefined ? error.message : `${message}\n${error.message}` };
  }
  if (error instanceof OutputFailed) return { status: status.server, message: error.message };
  if (error instanceof UsageError) return { status: status.usage, message: error.message };
  if (error instanceof TupletError) {
    const unknown = error.outcome === 'unknown' ? ' (whether it was done is not known)' : '';
    return { status: ofCode[error.code] ?? status.server, message: `${error.message}${unknown}` };
  }
  // A fault of ours. Not 1, which would be taken for "no match".
  return { status: status.server, message: error instanceof Error ? (error.stack as string) : String(error) };
}
