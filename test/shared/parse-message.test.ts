import { expect, test } from 'vitest';
import { parseClientMessage } from '../../shared/parse-message.js';
import { faultOf, invalidAt } from './fault.js';

const session = { id: 'a', secret: 'b', receipt: 0 };

test.each([
  { hello: 1 },
  { hello: 1, token: 'secret' },
  { hello: 1, token: 'secret', session },
  { op: 'out', n: 1, space: 'jobs', tuple: ['a'] },
  { op: 'unknown operations fail alone', n: Number.MAX_SAFE_INTEGER },
  { abandon: 1 },
  { receipt: 0 },
  { pong: 7 },
])('%j', message => {
  expect(parseClientMessage(message)).toBe(message);
});

test.each<[unknown, string]>([
  ...[null, undefined, 'hello', 1, [], [{ hello: 1 }], {}, { n: 1 }, { welcome: 1 }, { toString: 1 }].map(
    message => [message, 'message'] as [unknown, string],
  ),
  [{ hello: '1' }, 'hello'],
  [{ hello: -1 }, 'hello'],
  [{ hello: 1.5 }, 'hello'],
  [{ hello: 2 ** 53 }, 'hello'],
  [{ hello: Number.POSITIVE_INFINITY }, 'hello'],
  [{ hello: 1, tokens: 'a' }, 'tokens'],
  [{ hello: 1, token: 5 }, 'token'],
  [{ hello: 1, session: null }, 'session'],
  [{ hello: 1, session: { id: 'a', receipt: 0 } }, 'session.secret'],
  [{ hello: 1, session: { ...session, receipt: -1 } }, 'session.receipt'],
  [{ hello: 1, session: { ...session, epoch: 1 } }, 'session.epoch'],
  [{ abandon: 1, why: 'late' }, 'why'],
  [{ abandon: null }, 'abandon'],
  [{ receipt: 0.5 }, 'receipt'],
  [{ pong: 'a' }, 'pong'],
  [{ op: 'out' }, 'n'],
  [{ op: 'out', n: 0 }, 'n'],
  [{ op: 'out', n: 1.5 }, 'n'],
  [{ op: 'out', n: '1' }, 'n'],
  [{ op: 'out', n: 2 ** 53 }, 'n'],
])('not %j', (message, field) => {
  expect(faultOf(() => parseClientMessage(message))).toEqual(invalidAt(field));
});

test('a token has an end', () => {
  expect(faultOf(() => parseClientMessage({ hello: 1, token: 'x'.repeat(4097) }))).toEqual(
    invalidAt('token'),
  );
});
