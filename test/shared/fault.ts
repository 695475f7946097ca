import { type ErrorCode, TupletError } from '../../shared/errors.js';

/** Code and field of the TupletError that `act` throws. Anything else that it throws is a bug, and goes on. */
export function faultOf(act: () => unknown): { code: ErrorCode; field: string | undefined } | 'no fault' {
  try {
    act();
  } catch (error) {
    if (error instanceof TupletError) return { code: error.code, field: error.field };
    throw error;
  }
  return 'no fault';
}

export const invalidAt = (field: string) => ({ code: 'invalid', field });
export const tooLargeAt = (field: string) => ({ code: 'too_large', field });
