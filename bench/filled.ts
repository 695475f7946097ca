/** Database files full of tuples, written through the store and kept for the workloads that come after. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openSqlite } from '../server/store/sqlite.js';
import type { Store } from '../server/store/store.js';
import { limits } from '../shared/limits.js';
import type { Bench } from './measure.js';

export const kinds = 1_000;
export const filledSpace = 'items';

export const kindOf = (number: number): string => `kind-${number % kinds}`;
const payload = 'something to be done, of about the size that things to be done have';

/** A file with `count` tuples `[kind, number, payload]`, the kinds in turn. */
export async function filledFile(bench: Bench, count: number): Promise<string> {
  const file = join(bench.directory, `filled-${count}.db`);
  if (existsSync(file)) return file;
  const store: Store = openSqlite(file);
  const created = Date.now();
  for (let first = 0; first < count; first += limits.outManyTuples) {
    bench.note(`${count.toLocaleString('en-US')} tuples: ${Math.round((first * 100) / count)}% written`);
    const batch = await store.begin();
    const size = Math.min(limits.outManyTuples, count - first);
    const entries = Array.from({ length: size }, (_, at) => {
      const tuple = [kindOf(first + at), first + at, payload];
      return { tuple: { tuple, text: JSON.stringify(tuple) }, created };
    });
    await batch.insert(filledSpace, entries);
    await batch.commit();
  }
  await store.close();
  return file;
}
