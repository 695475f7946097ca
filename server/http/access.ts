/**
 * Who may talk to this server at all, asked before a body is read.
 * - A page of another site may not: a browser names it in `Origin`.
 * - Nor a page whose own name was made to point here (DNS rebinding), which has no foreign Origin: a server that wants no token is to
 *   be given the names that it may be called by.
 * - The token is asked for by the routes themselves and not by their paths, which can be written in many ways.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { TupletError } from '../../shared/errors.js';
import type { Authenticator, Principal } from '../auth/auth.js';

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal;
  }
}

/** For all routes of `app`, those that are registered later too. */
export function refuseStrangers(app: FastifyInstance, hosts: readonly string[] | undefined): void {
  app.addHook('onRequest', async ({ headers: { origin, host = '' } }) => {
    if (origin !== undefined && isForeign(origin, host)) {
      throw new TupletError('forbidden', 'Origin: pages of other sites are not let in', { field: 'Origin' });
    }
    if (hosts && !hosts.includes(hostname(host))) {
      throw new TupletError('forbidden', 'Host: this server is not called so', { field: 'Host' });
    }
  });
}

/** Compared as URLs of one scheme, where a default port is the same as none. */
function isForeign(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return true;
  const { protocol, host: theirs } = new URL(origin);
  const here = `${protocol}//${host}`;
  return !URL.canParse(here) || new URL(here).host !== theirs;
}

const hostname = (host: string): string =>
  URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : '';

export function identifyAll(app: FastifyInstance, authenticator: Authenticator): void {
  app.decorateRequest('principal');
  app.addHook('onRequest', async request => {
    request.principal = authenticator.identify(bearer(request));
  });
}

const bearer = ({ headers: { authorization = '' } }: FastifyRequest): string | undefined =>
  /^Bearer +(\S+)$/i.exec(authorization)?.[1];
