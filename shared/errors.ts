/**
 * The one error table. The code is contract, the message is prose.
 * `retryable`: the same call may succeed later without any change to it.
 */
export const errorTable = {
  invalid: {
    status: 400,
    retryable: false,
    meaning: 'The request is malformed; the message names the field.',
  },
  unauthorized: {
    status: 401,
    retryable: false,
    meaning: 'No token, or one that this server does not know.',
  },
  forbidden: { status: 403, retryable: false, meaning: 'Known, but not allowed to do this.' },
  not_found: { status: 404, retryable: false, meaning: 'No such entry, transaction, ticket or path.' },
  timeout: { status: 408, retryable: true, meaning: 'The wait ended by its timeout; nothing was taken.' },
  conflict: {
    status: 409,
    retryable: true,
    meaning: 'Something else happened in between; nothing was applied.',
  },
  deadlock: { status: 409, retryable: true, meaning: 'A cycle of waits; this one was chosen to give way.' },
  transaction_expired: { status: 410, retryable: false, meaning: 'The transaction ended by its lease.' },
  too_large: {
    status: 413,
    retryable: false,
    meaning: 'A tuple, template, frame or body is over its bound.',
  },
  unsupported_media: { status: 415, retryable: false, meaning: 'Bodies are application/json.' },
  key_reused: {
    status: 422,
    retryable: false,
    meaning: 'This Idempotency-Key came with another request before.',
  },
  limit: { status: 429, retryable: true, meaning: 'A limit of this server is reached; come back later.' },
  internal: { status: 500, retryable: false, meaning: 'A fault of the server; its log says more.' },
  unavailable: { status: 503, retryable: true, meaning: 'The storage is down, or the server is draining.' },
  aborted: {
    status: 499,
    retryable: false,
    meaning: 'The AbortSignal of the call fired; nothing was taken.',
  },
  /** Only in the SDK: these never cross the wire. */
  lost: { status: 503, retryable: true, meaning: 'The connection ended before the answer came.' },
  closed: { status: 499, retryable: false, meaning: 'The client was closed.' },
} as const;

export type ErrorCode = keyof typeof errorTable;

/** What is known about the effect of a failed call: `none` happened, or it is `unknown`. */
export type Outcome = 'none' | 'unknown';

export interface TupletErrorOptions {
  /** Where in the request the fault lies, as a path: `tuple[1].name`. */
  field?: string | undefined;
  outcome?: Outcome;
  cause?: unknown;
}

/** The one error class of server, wire and SDK. */
export class TupletError extends Error {
  override readonly name = 'TupletError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly outcome: Outcome;
  readonly field: string | undefined;

  constructor(code: ErrorCode, message: string, options: TupletErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = errorTable[code].retryable;
    this.outcome = options.outcome ?? 'none';
    this.field = options.field;
  }

  /** HTTP status of the code. */
  get status(): number {
    return errorTable[this.code].status;
  }
}

/** How an error travels in an answer. */
export interface ErrorMessage {
  code: ErrorCode;
  message: string;
  field?: string;
  /** Without it nothing was done. */
  outcome?: 'unknown';
}

export function toErrorMessage({ code, message, field, outcome }: TupletError): ErrorMessage {
  return {
    code,
    message,
    ...(field !== undefined && { field }),
    ...(outcome === 'unknown' && { outcome }),
  };
}

/** A code that this version does not know becomes `internal`, so that newer servers do not break older clients. */
export function fromErrorMessage({ code, message, field, outcome }: ErrorMessage): TupletError {
  return new TupletError(Object.hasOwn(errorTable, code) ? code : 'internal', message, {
    field,
    outcome: outcome ?? 'none',
  });
}

export const invalid = (field: string, message: string): TupletError =>
  new TupletError('invalid', `${field}: ${message}`, { field });
