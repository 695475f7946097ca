/**
 * The tuples of the example, which is all that its processes know of each other. They stand in one space; `run` keeps two runs on one
 * server apart.
 */

/** A part of a file to be counted: its bytes from `from` up to `to`. */
export type Chunk = ['chunk', run: string, chunk: number, path: string, from: number, to: number];
/** Some words of a chunk. Pairs, since a word may be `__proto__`; in parts, since a tuple has a bound. */
export type Counted = [
  'counted',
  run: string,
  chunk: number,
  part: number,
  pairs: [word: string, times: number][],
];
/** A chunk is counted, in so many parts. It is put after them: who sees it will find them. */
export type Done = ['done', run: string, chunk: number, parts: number];
/** A worker that takes this one ends. */
export type Stop = ['stop', run: string];

export type Row = Chunk | Counted | Done | Stop;

export const spaceName = 'word-count';
/** What a run that was killed leaves behind goes away by itself. */
export const ttl = 60 * 60 * 1000;
