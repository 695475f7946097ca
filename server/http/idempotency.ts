/**
 * `Idempotency-Key`: the engine keeps the answer under it for ten minutes, in the commit of its effect. A key belongs to who sends it;
 * the same key with another request is `key_reused`.
 */
import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { invalid } from '../../shared/errors.js';
import { canonicalJson, type Json } from '../../shared/json.js';
import { limits } from '../../shared/limits.js';
import type { RequestKey } from '../engine/pending.js';

const printable = new RegExp(`^[\\x20-\\x7e]{1,${limits.idempotencyKeyCharacters}}$`);

/** The key that a request came with, if it did. Throws `invalid`. */
export function requestKey(request: FastifyRequest, path: string, body: Json): RequestKey | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !printable.test(key)) {
    throw invalid('Idempotency-Key', `is 1 to ${limits.idempotencyKeyCharacters} printable ASCII characters`);
  }
  const text = `${request.method} ${path}\n${canonicalJson(body)}`;
  return {
    id: `http ${JSON.stringify([request.principal.name, key])}`,
    fingerprint: createHash('sha256').update(text).digest('base64'),
  };
}
