/** Bodies are JSON in UTF-8. They are read as bytes and parsed by the route that wants one, so that only `parseJson` judges them. */
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { invalid, TupletError } from '../../shared/errors.js';
import { parseJson } from '../../shared/json.js';

/** Any other body is left unread: the route refuses it. */
export function keepBytes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, bytes, done) =>
    done(null, bytes),
  );
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
}

/** Throws `unsupported_media`, or `invalid` for what is not JSON. */
export function readBody({ body }: FastifyRequest): unknown {
  if (!(body instanceof Buffer)) {
    throw new TupletError('unsupported_media', 'Content-Type: application/json is required', {
      field: 'Content-Type',
    });
  }
  if (body.length === 0) throw invalid('body', 'is required');
  // Decoding would put U+FFFD in silence where the bytes are not text.
  if (!isUtf8(body)) throw invalid('body', 'is not UTF-8');
  try {
    return parseJson(body.toString('utf8'));
  } catch (cause) {
    throw new TupletError('invalid', `body: ${(cause as Error).message}`, { field: 'body', cause });
  }
}
