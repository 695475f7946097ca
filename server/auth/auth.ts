/** Who are you, and may you: asked once per connection or REST request, and once per operation. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { TupletError } from '../../shared/errors.js';
import type { Op, Request } from '../../shared/operations.js';

export interface Principal {
  readonly name: string;
}

export interface Authenticator {
  /** Throws `unauthorized` for a missing or unknown token. */
  identify(token: string | undefined): Principal;
}

/** Lets everybody in: for a server that listens on loopback only. */
export const openDoor: Authenticator = { identify: () => ({ name: 'anyone' }) };

/** Lets in whoever has the token. Compared by digest, in constant time. */
export function sharedToken(token: string): Authenticator {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(token);
  return {
    identify(given) {
      if (given === undefined) throw new TupletError('unauthorized', 'token: this server wants one');
      if (!timingSafeEqual(digest(given), expected))
        throw new TupletError('unauthorized', 'token: not known here');
      return { name: 'token' };
    },
  };
}

const changing: ReadonlySet<Op> = new Set<Op>([
  'out',
  'outMany',
  'in',
  'take',
  'takeMany',
  'renew',
  'cancel',
]);

/** The space `locks` belongs to the lock manager: others look. Throws `forbidden`. */
export function authorize(_principal: Principal, request: Request): void {
  if ('space' in request && request.space === 'locks' && changing.has(request.op)) {
    throw new TupletError(
      'forbidden',
      'space: locks belongs to the lock manager; it may be read, scanned and watched',
      {
        field: 'space',
      },
    );
  }
}
