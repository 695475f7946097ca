/** Chooses a store by its URL. */
import { TupletError } from '../../shared/errors.js';
import { openSqlite } from './sqlite.js';
import type { Store } from './store.js';

/** The file of a `sqlite:FILE` URL. */
export const sqliteFile = (url: string): string | undefined => /^sqlite:(?:\/\/(?=\/))?(.+)$/s.exec(url)?.[1];

/** `sqlite:FILE`, or `memory:`. Throws `invalid` for other URLs, `unavailable` if the store cannot be had. */
export async function openStore(url: string): Promise<Store> {
  const file = sqliteFile(url);
  if (file !== undefined) return openSqlite(file);
  if (url.startsWith('memory:')) return openSqlite(':memory:');
  const why = /^postgres(ql)?:/.test(url) ? 'PostgreSQL is not there yet' : 'this is no store';
  throw new TupletError('invalid', `store: ${url}: ${why}; use sqlite:FILE or memory:`, { field: 'store' });
}
