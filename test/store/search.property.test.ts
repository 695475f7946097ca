/** The searches of the SQLite store, against naive ones. */
import { onTestFinished } from 'vitest';
import { openSqlite } from '../../server/store/sqlite.js';
import { searchContract } from '../contract/search.js';

searchContract('sqlite', async () => {
  const store = openSqlite(':memory:');
  onTestFinished(() => store.close());
  return { store };
});
