/** The coordinator: puts the chunks of all files, sums what comes back, and sends the workers home. */
import { any, type Client } from 'tuplet';
import { chunksOf, type Range } from './chunks.js';
import { type Row, spaceName, ttl } from './tuples.js';
import { add, type Counts } from './words.js';

export interface Run {
  readonly id: string;
  readonly files: readonly string[];
  readonly workers: number;
  /** Called for every chunk that is counted. */
  readonly onProgress: (counted: number, chunks: number) => void;
}

/** Chunks that are put with one request. */
const batch = 500;

export async function coordinate(client: Client, { id, files, workers, onProgress }: Run): Promise<Counts> {
  const space = client.space<Row>(spaceName);
  const chunks: Range[] = [];
  for (const file of files) for await (const chunk of chunksOf(file)) chunks.push(chunk);

  for (let first = 0; first < chunks.length; first += batch) {
    const some = chunks.slice(first, first + batch);
    await space.outMany(
      some.map(({ path, from, to }, at) => ['chunk', id, first + at, path, from, to]),
      { ttl },
    );
  }

  const counts: Counts = new Map();
  for (let counted = 1; counted <= chunks.length; counted++) {
    const [, , chunk, parts] = await space.in(['done', id, Number, Number]);
    const taken = Array.from({ length: parts }, (_, part) => space.in(['counted', id, chunk, part, any]));
    for (const [, , , , pairs] of await Promise.all(taken)) {
      for (const [word, times] of pairs) add(counts, word, times);
    }
    onProgress(counted, chunks.length);
  }

  await space.outMany(
    Array.from({ length: workers }, () => ['stop', id]),
    { ttl },
  );
  return counts;
}
