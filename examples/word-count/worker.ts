/**
 * A worker: takes chunks, counts their words, puts the counts, until it takes a stop. Any number of them, on any machine that has the
 * files, share the work without knowing of each other.
 *
 *   node dist/examples/word-count/worker.js URL RUN
 */
import { anyOf, connect } from 'tuplet';
import { readChunk } from './chunks.js';
import { type Row, spaceName, ttl } from './tuples.js';
import { type Counts, countWords } from './words.js';

/** A tuple may have 256 KiB; there is room for the rest of it. */
const partBytes = 128 * 1024;

async function work(url: string, run: string): Promise<void> {
  await using client = await connect(url);
  const space = client.space<Row>(spaceName);
  for (;;) {
    const taken = await space.in(anyOf(['chunk', run, Number, String, Number, Number], ['stop', run]));
    if (taken[0] === 'stop') return;
    const [, , chunk, path, from, to] = taken;
    const parts = partsOf(countWords(await readChunk({ path, from, to })));
    await Promise.all(parts.map((pairs, part) => space.out(['counted', run, chunk, part, pairs], { ttl })));
    await space.out(['done', run, chunk, parts.length], { ttl });
  }
}

/** Pairs by the size of their JSON: three bytes a character are the most, and sixteen stand around it. */
function partsOf(counts: Counts): [string, number][][] {
  const parts: [string, number][][] = [];
  let left = 0;
  for (const pair of counts) {
    if (left <= 0) {
      parts.push([]);
      left = partBytes;
    }
    parts.at(-1)?.push(pair);
    left -= pair[0].length * 3 + 16;
  }
  return parts;
}

// Without its coordinator there is nothing to do.
process.once('disconnect', () => process.exit(1));
const [url = '', run = ''] = process.argv.slice(2);
await work(url, run);
process.exit();
