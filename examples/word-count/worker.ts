/**
 * A worker: takes chunks, counts their words, puts the counts, until it takes a stop. Any number of them, on any machine that has the
 * files, share the work without knowing of each other.
 *
 *   node dist/examples/word-count/worker.js URL RUN
 */
import { anyOf, connect } from 'tuplet';
import { readChunk } from './chunks.js';
import { type Chunk, type Counted, type Row, type Stop, spaceName, ttl } from './tuples.js';
import { type Counts, countWords } from './words.js';

/** Characters of the words of one part: as JSON in UTF-8 they stay below the 256 KiB that a tuple may have. */
const partCharacters = 32 * 1024;

const [url = '', run = ''] = process.argv.slice(2);
// Without its coordinator there is nothing to do.
process.once('disconnect', () => process.exit(1));

await using client = await connect(url);
const space = client.space<Row>(spaceName);

for (;;) {
  const work: Chunk | Stop = await space.in(
    anyOf(['chunk', run, Number, String, Number, Number], ['stop', run]),
  );
  if (work[0] === 'stop') break;
  const [, , chunk, path, from, to] = work;
  const counts = countWords(await readChunk({ path, from, to }));
  const parts = partsOf(counts).map((pairs, part): Counted => ['counted', run, chunk, part, pairs]);
  await space.outMany([...parts, ['done', run, chunk, parts.length]], { ttl });
}
process.disconnect?.();

function partsOf(counts: Counts): [string, number][][] {
  const parts: [string, number][][] = [];
  let left = 0;
  for (const pair of counts) {
    if (left <= 0) {
      parts.push([]);
      left = partCharacters;
    }
    parts.at(-1)?.push(pair);
    left -= pair[0].length;
  }
  return parts;
}
