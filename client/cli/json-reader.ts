/**
 * JSON as a user writes it on a command line: strict, but with bare words for formals, and with faults that have a place.
 *
 * - A bare word stands where a pattern may stand: not in a string, not as a key, and not where a formal wants plain values
 *   (`{"$eq": number}`), for there it would be quoted in silence.
 * - `null`, `true` and `false` are JSON.
 * - A number that a double cannot keep is refused.
 */
import { type Json, survivesDouble } from '../../shared/json.js';
import { limits } from '../../shared/limits.js';
import { UsageError } from './status.js';

/** What each bare word stands for. */
export type BareWords = Readonly<Record<string, Json>>;

export const noWords: BareWords = {};

/** Reads one value. Throws `UsageError`, with the place in the text; `what` names the argument in it. */
export const readJson = (what: string, text: string, words: BareWords): Json =>
  new Reader(what, text, words).whole();

/** Formals whose operands are values or schemas, not patterns. */
const ofValues = new Set([
  '$eq',
  '$ne',
  '$oneOf',
  '$prefix',
  '$schema',
  '$type',
  '$gt',
  '$gte',
  '$lt',
  '$lte',
]);
const constants: BareWords = { null: null, true: true, false: false };
/** A template may be as deep; checks of the meaning come later, this keeps the stack. */
const depthMost = limits.tupleDepth * 2 + 1;

class Reader {
  readonly #what: string;
  readonly #text: string;
  readonly #words: BareWords;
  #at = 0;

  constructor(what: string, text: string, words: BareWords) {
    this.#what = what;
    this.#text = text;
    this.#words = words;
  }

  whole(): Json {
    const value = this.#value(this.#words, depthMost);
    this.#skipBlanks();
    if (this.#at < this.#text.length) throw this.#fault('there is more behind the end');
    return value;
  }

  #value(words: BareWords, depth: number): Json {
    this.#skipBlanks();
    const next = this.#text[this.#at];
    if (depth === 0) throw this.#fault('nested too deep');
    if (next === '[') return this.#array(words, depth - 1);
    if (next === '{') return this.#object(words, depth - 1);
    if (next === '"') return this.#string();
    if (next !== undefined && /[-\d]/.test(next)) return this.#number();
    return this.#word(words);
  }

  #array(words: BareWords, depth: number): Json {
    const items: Json[] = [];
    this.#at++;
    if (this.#skip(']')) return items;
    for (;;) {
      items.push(this.#value(words, depth));
      if (this.#skip(']')) return items;
      if (!this.#skip(',')) throw this.#fault('a comma or ] is missing');
    }
  }

  #object(words: BareWords, depth: number): Json {
    const members: [string, Json][] = [];
    this.#at++;
    if (this.#skip('}')) return {};
    for (;;) {
      this.#skipBlanks();
      if (this.#text[this.#at] !== '"') throw this.#fault('a key in double quotes is missing');
      const key = this.#string();
      if (!this.#skip(':')) throw this.#fault('a colon is missing');
      members.push([key, this.#value(ofValues.has(key) ? noWords : words, depth)]);
      // Not by assignment: the key __proto__ must become a member, to be refused as one.
      if (this.#skip('}')) return Object.fromEntries(members);
      if (!this.#skip(',')) throw this.#fault('a comma or } is missing');
    }
  }

  #string(): string {
    const token = this.#token(/"(?:[^"\\]|\\.)*"/sy);
    if (token === undefined) throw this.#fault('this string has no end');
    try {
      return JSON.parse(token) as string;
    } catch {
      throw this.#fault('this string has a bad escape, or a control character that wants one', token);
    }
  }

  #number(): number {
    const token = this.#token(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y);
    if (token === undefined) throw this.#fault('this is no JSON number');
    if (!survivesDouble(token)) throw this.#fault('this number does not survive as a double', token);
    return Number(token);
  }

  #word(words: BareWords): Json {
    const token = this.#token(/[\p{L}_$][\p{L}\p{N}_$]*/uy);
    if (token === undefined) throw this.#fault(this.#missing());
    for (const known of [constants, words]) if (Object.hasOwn(known, token)) return known[token] as Json;
    throw this.#fault(`"${token}" is not a word that may stand here${this.#hint(token)}`, token);
  }

  #missing(): string {
    const next = this.#text[this.#at];
    if (next === undefined) return 'the end comes too soon';
    return next === "'" ? 'strings stand in double quotes' : 'a value is missing';
  }

  #hint(token: string): string {
    const known = Object.keys(this.#words);
    if (known.length === 0) return '; strings stand in double quotes';
    if (known.includes(token)) return ': it stands for a pattern, and this formal wants a value';
    return `; bare words are ${known.join(' ')}; strings stand in double quotes`;
  }

  #token(form: RegExp): string | undefined {
    form.lastIndex = this.#at;
    const token = form.exec(this.#text)?.[0];
    this.#at += token?.length ?? 0;
    return token;
  }

  #skip(sign: string): boolean {
    this.#skipBlanks();
    if (this.#text[this.#at] !== sign) return false;
    this.#at++;
    return true;
  }

  #skipBlanks(): void {
    this.#token(/[ \t\r\n]*/y);
  }

  /** At the place where the reader stands, or at the beginning of the token that it has just read. */
  #fault(message: string, token = ''): UsageError {
    const place = this.#at - token.length;
    return new UsageError(`${this.#what}: ${message}\n${pointAt(this.#text, place)}`);
  }
}

/** The part of a text around a place, and a mark under the place. */
function pointAt(text: string, place: number): string {
  const lineStart = text.lastIndexOf('\n', place - 1) + 1;
  const lineEnd = text.indexOf('\n', place);
  const from = Math.max(lineStart, place - 40);
  const to = Math.min(lineEnd < 0 ? text.length : lineEnd, place + 40);
  const shown = text.slice(from, to).replaceAll(/[\t\r]/g, ' ');
  return `  ${shown}\n  ${' '.repeat(place - from)}^`;
}
