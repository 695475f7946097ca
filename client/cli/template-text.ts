/** Tuples and templates as arguments: `'["job", 7]'`, `'["job", number, any]'`. */
import { isObject, type Json } from '../../shared/json.js';
import { parseTemplate } from '../../shared/template.js';
import { encodeTuple, type Tuple } from '../../shared/tuple.js';
import { anyOf, pattern, rest } from '../node.js';
import { type BareWords, noWords, readJson } from './json-reader.js';
import { UsageError } from './status.js';

const types = ['string', 'number', 'integer', 'boolean', 'object', 'array'] as const;

/** The formals that have a word of their own, and what the wire calls them. */
export const bareWords: BareWords = {
  any: { $any: true },
  ...Object.fromEntries(types.map(type => [type, { $type: type }])),
  rest: { $rest: true },
};

/** A template for the SDK. Throws `UsageError` or `invalid`, saying where; no server is needed for that. */
export function readTemplate(text: string, what = 'template') {
  const json = readJson(what, text, bareWords);
  parseTemplate(json, what);
  if (!isObject(json)) return patterns(json);
  return anyOf(...(json.$anyOf as readonly Json[]).map(patterns));
}

/** Of a checked template, which is an array. */
const patterns = (template: Json) => (template as readonly Json[]).map(one => pattern(one));

/** What matches everything. */
export const everything = [rest];

/** A checked tuple. Throws `UsageError`, `invalid` or `too_large`, saying where. */
export function readTuple(text: string): Tuple {
  const json = readJson('tuple', text, noWords);
  encodeTuple(json);
  return json as Tuple;
}

/** The checked tuples of a JSON array of tuples. */
export function readTuples(text: string): Tuple[] {
  const json = readJson('tuples', text, noWords);
  if (!Array.isArray(json)) throw new UsageError('tuples: is an array of tuples');
  for (const [at, tuple] of json.entries()) encodeTuple(tuple, `tuples[${at}]`);
  return json;
}
