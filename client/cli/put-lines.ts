/**
 * Puts tuples that come as JSON lines, one in each; blank lines are skipped.
 *
 * - Lines are read as fast as the server takes them: at most `batchesUnderWay` batches wait for an answer, and no more is read until one
 *   has come. Memory does not grow with the input.
 * - Batches are sent in the order of the lines. When a line is bad, all tuples before it are put and none after it.
 * - When it cannot go on, it tells what is known: how many tuples are put, and how many may be.
 */
import type { Readable } from 'node:stream';
import { parseJson } from '../../shared/json.js';
import { encodeTuple, type Tuple } from '../../shared/tuple.js';
import { TupletError } from '../node.js';
import { noWords, readJson } from './json-reader.js';
import { type Line, linesOf } from './lines.js';
import { Unfinished } from './status.js';

export type Put = (tuples: readonly Tuple[]) => Promise<unknown>;

/** How far it is: what the server has answered for. */
export interface Tally {
  readonly tuples: number;
  /** Of the input. */
  readonly bytes: number;
}

interface Batch {
  readonly tuples: Tuple[];
  characters: number;
  /** Where its last line ends. */
  end: number;
}

const batchesUnderWay = 4;
const batchTuples = 1_000;
const batchCharacters = 256 * 1024;

/** Gives the number of tuples. Throws `Unfinished` for a bad line, when `signal` is aborted, and when `put` rejects. */
export async function putLines(
  source: Readable,
  put: Put,
  { signal, onPut }: { readonly signal: AbortSignal; readonly onPut: (tally: Tally) => void },
): Promise<number> {
  const stop = (reason: unknown) => source.destroy(reason as Error);
  const batches = new Batches(put, onPut, stop);
  const interrupt = () => stop(signal.reason);
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    for await (const line of linesOf(source)) {
      if (line.text.trim() !== '') await batches.add(tupleOf(line), line);
    }
    await batches.finish();
    return batches.put;
  } catch (cause) {
    await batches.finish().catch(() => {});
    throw new Unfinished(batches.report(), cause);
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}

function tupleOf({ number, text }: Line): Tuple {
  const what = `line ${number}`;
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    // Slower, and it knows the place.
    value = readJson(what, text.trimEnd(), noWords);
  }
  encodeTuple(value, what);
  return value as Tuple;
}

class Batches {
  readonly #put: Put;
  readonly #onPut: (tally: Tally) => void;
  readonly #onFailure: (error: unknown) => void;
  readonly #underWay = new Set<Promise<void>>();
  #filling: Batch = { tuples: [], characters: 0, end: 0 };
  #failure: { readonly error: unknown } | undefined;
  put = 0;
  #doubtful = 0;

  constructor(put: Put, onPut: (tally: Tally) => void, onFailure: (error: unknown) => void) {
    this.#put = put;
    this.#onPut = onPut;
    this.#onFailure = onFailure;
  }

  async add(tuple: Tuple, { text, end }: Line): Promise<void> {
    const batch = this.#filling;
    batch.tuples.push(tuple);
    batch.characters += text.length;
    batch.end = end;
    if (batch.tuples.length >= batchTuples || batch.characters >= batchCharacters) await this.#send();
  }

  /** Waits for what is under way, the last batch included. Throws if one of them has failed. */
  async finish(): Promise<void> {
    if (this.#filling.tuples.length > 0 && !this.#failure) await this.#send();
    await Promise.all(this.#underWay);
    if (this.#failure) throw this.#failure.error;
  }

  async #send(): Promise<void> {
    while (this.#underWay.size >= batchesUnderWay) await Promise.race(this.#underWay);
    if (this.#failure) throw this.#failure.error;
    const batch = this.#filling;
    this.#filling = { tuples: [], characters: 0, end: batch.end };
    const done = this.#run(batch).finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }

  /** Never rejects: the first failure is kept, and ends the reading. */
  async #run({ tuples, end }: Batch): Promise<void> {
    try {
      await this.#put(tuples);
      this.put += tuples.length;
      this.#onPut({ tuples: this.put, bytes: end });
    } catch (error) {
      if (error instanceof TupletError && error.outcome === 'unknown') this.#doubtful += tuples.length;
      this.#failure ??= { error };
      this.#onFailure(error);
    }
  }

  report(): string {
    const more = this.#doubtful > 0 ? `; whether ${this.#doubtful} more are is not known` : '';
    return `${this.put} tuples are put${more}`;
  }
}
