/** Lines of a byte stream, with their numbers. Bytes are cut before they are decoded, so that a fault has its line. */
import { limits } from '../../shared/limits.js';
import { UsageError } from './status.js';

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  /** Bytes of the stream up to the end of this line. */
  readonly end: number;
}

/** The longest line. A tuple at its bound may be written with escapes and blanks, but not with this many. */
const lineBytes = limits.tupleBytes * 8;
const newline = 0x0a;

/** Throws `UsageError` for a line that is too long or not UTF-8. */
export async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Line, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let [number, end, held]: [number, number, Uint8Array[]] = [1, 0, []];
  const finish = (last: Uint8Array): Line => {
    const bytes = Buffer.concat([...held, last]);
    held = [];
    end += bytes.length;
    if (bytes.length > lineBytes) throw new UsageError(`line ${number}: is longer than ${lineBytes} bytes`);
    try {
      return { number: number++, text: decoder.decode(bytes), end };
    } catch {
      throw new UsageError(`line ${number - 1}: is not UTF-8`);
    }
  };
  for await (const chunk of source) {
    let from = 0;
    for (let to = chunk.indexOf(newline); to >= 0; to = chunk.indexOf(newline, from)) {
      yield finish(chunk.subarray(from, to + 1));
      from = to + 1;
    }
    held.push(chunk.subarray(from));
    if (held.reduce((sum, { length }) => sum + length, 0) > lineBytes) finish(new Uint8Array());
  }
  const last = finish(new Uint8Array());
  if (last.text !== '') yield last;
}
