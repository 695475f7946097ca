/**
 * Cuts files into chunks. A cut stands behind an ASCII blank: no word has one, and no character of UTF-8 has it as one of its bytes,
 * so that the words of the chunks are the words of the file.
 */
import { type FileHandle, open } from 'node:fs/promises';

/** Bytes that a chunk has at least, save the last of a file. */
const chunkBytes = 256 * 1024;
const blanks = new Set(Buffer.from('\t\n\r '));

export interface Range {
  readonly path: string;
  readonly from: number;
  readonly to: number;
}

/** The chunks of a file; none if it is empty. */
export async function* chunksOf(path: string): AsyncGenerator<Range, void, undefined> {
  await using file = await open(path);
  const { size } = await file.stat();
  for (let from = 0; from < size; ) {
    const to = await cutAfter(file, from + chunkBytes, size);
    yield { path, from, to };
    from = to;
  }
}

/** The first place from `at` on that has a blank before it, or the end. */
async function cutAfter(file: FileHandle, at: number, size: number): Promise<number> {
  const buffer = Buffer.alloc(4096);
  for (let start = at; start < size; start += buffer.length) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start - 1);
    const found = buffer.subarray(0, bytesRead).findIndex(byte => blanks.has(byte));
    if (found >= 0) return start + found;
  }
  return size;
}

export async function readChunk({ path, from, to }: Range): Promise<string> {
  await using file = await open(path);
  const buffer = Buffer.alloc(to - from);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
  return buffer.toString('utf8', 0, bytesRead);
}
