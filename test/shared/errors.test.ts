import { describe, expect, test } from 'vitest';
import {
  type ErrorCode,
  errorTable,
  fromErrorMessage,
  invalid,
  TupletError,
  toErrorMessage,
} from '../../shared/errors.js';

const codes = Object.keys(errorTable) as ErrorCode[];

describe.each(codes)('%s', code => {
  test('has a status of an error, and a meaning in a sentence', () => {
    const { status, meaning } = errorTable[code];
    expect(status).toSatisfy((n: number) => Number.isInteger(n) && n >= 400 && n <= 599);
    expect(meaning).toMatch(/^[A-Z].*\.$/);
  });

  test('makes an error that carries the row of the table', () => {
    const { status, retryable } = errorTable[code];
    expect(new TupletError(code, 'prose')).toMatchObject({ code, status, retryable, outcome: 'none' });
  });

  test('crosses the wire and back', () => {
    for (const options of [{}, { field: 'tuple[1]' }, { outcome: 'unknown' as const }]) {
      const error = new TupletError(code, 'prose', options);
      expect(fromErrorMessage(JSON.parse(JSON.stringify(toErrorMessage(error))))).toEqual(error);
    }
  });
});

test.each(['newer', 'toString', '__proto__', ''])('the unknown code %j is read as internal', code => {
  const error = fromErrorMessage({ code: code as ErrorCode, message: 'prose', field: 'a' });
  expect(error).toMatchObject({
    code: 'internal',
    retryable: false,
    status: 500,
    field: 'a',
    message: 'prose',
  });
});

test('an error keeps its cause, and has none without one', () => {
  const cause = new Error('disk');
  expect(new TupletError('unavailable', 'prose', { cause }).cause).toBe(cause);
  expect(new TupletError('unavailable', 'prose')).not.toHaveProperty('cause');
});

test('invalid names the field, in the message too', () => {
  expect(invalid('tuple[0]', 'is odd')).toMatchObject({
    code: 'invalid',
    field: 'tuple[0]',
    message: 'tuple[0]: is odd',
  });
});
