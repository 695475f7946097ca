/**
 * The operations on spaces: what each is asked with (JSON Schema and type), and what it answers.
 * WebSocket requests and REST bodies are checked by the same `parseRequest`, so that both refuse the same things in the same words.
 */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { invalid, type TupletError } from './errors.js';
import type { Json } from './json.js';
import { limits } from './limits.js';
import { parseTemplate, type Template } from './template.js';
import { checkName, encodeTuple, type Tuple } from './tuple.js';

/** Which of the matching entries: the oldest by position unless said otherwise. `field` counts from 0. */
export type Order = 'oldest' | 'newest' | { readonly field: number; readonly dir: 'asc' | 'desc' };

/** A tuple as it stands in a space. Times are milliseconds since 1970; `position` is null until the entry is visible. */
export interface Entry {
  readonly id: number;
  readonly position: number | null;
  readonly tuple: Tuple;
  /** How often it was taken and given back. */
  readonly returns: number;
  readonly created: number;
  readonly expires?: number;
}

/** What may happen to an entry. `returned`: it was taken, and given back. */
export type EventType = 'out' | 'taken' | 'expired' | 'cancelled' | 'returned';

export interface SpaceEvent {
  /** Grows with every event. */
  readonly event: number;
  readonly type: EventType;
  readonly entry: Entry;
}
/** Events are missing before this: what was between is no longer kept. A scan tells what there is. */
export interface Truncated {
  readonly event: number;
  readonly type: 'truncated';
  readonly entry: null;
}
export type WatchEvent = SpaceEvent | Truncated;

export interface EncodedTuple {
  readonly tuple: Tuple;
  readonly text: string;
}

/** Milliseconds all; without `timeout` a wait has no limit. */
export type Request =
  | {
      readonly op: 'out';
      readonly space: string;
      readonly tuple: EncodedTuple;
      readonly ttl?: number | undefined;
      readonly delay?: number | undefined;
      readonly unless?: Template | undefined;
    }
  | {
      readonly op: 'outMany';
      readonly space: string;
      readonly tuples: readonly EncodedTuple[];
      readonly ttl?: number | undefined;
      readonly delay?: number | undefined;
    }
  | {
      readonly op: 'in' | 'rd' | 'take' | 'read';
      readonly space: string;
      readonly template: Template;
      readonly timeout?: number | undefined;
      readonly order: Order;
    }
  | {
      readonly op: 'takeMany';
      readonly space: string;
      readonly template: Template;
      readonly limit: number;
      readonly timeout: number;
    }
  | {
      readonly op: 'scan';
      readonly space: string;
      readonly template: Template;
      readonly limit: number;
      readonly after: number;
    }
  | {
      readonly op: 'watch';
      readonly space: string;
      readonly template: Template;
      /** The event to go on from; without it, from now. */
      readonly after?: number | undefined;
    }
  | { readonly op: 'count'; readonly space: string; readonly template: Template }
  | { readonly op: 'explain'; readonly space: string; readonly template: Template; readonly order: Order }
  | { readonly op: 'renew'; readonly space: string; readonly id: number | string; readonly ttl: number }
  | { readonly op: 'cancel'; readonly space: string; readonly id: number | string }
  | { readonly op: 'space'; readonly space: string }
  | { readonly op: 'spaces' };

export type Op = Request['op'];
export type RequestOf<O extends Op> = Extract<Request, { op: O }>;

export interface Explanation {
  /** The index that narrows the search, or null where the space is scanned. */
  readonly index: string | null;
  /** Fields (from 0) that the index fixes, and the one that it ranges over or orders by. */
  readonly exact: readonly number[];
  readonly range: number | null;
  readonly order: Order;
  readonly scan: boolean;
}

export interface SpaceState {
  readonly space: string;
  readonly tuples: number;
  readonly waiters: number;
  readonly watches: number;
  readonly holds: number;
}

type EntryOrNone = Entry | null;

export interface Answers {
  out:
    | { readonly id: number; readonly position: number | null }
    | { readonly created: false; readonly existing: number };
  outMany: { readonly entries: readonly { readonly id: number; readonly position: number | null }[] };
  in: EntryOrNone;
  rd: EntryOrNone;
  take: EntryOrNone;
  read: EntryOrNone;
  takeMany: { readonly entries: readonly Entry[] };
  scan: { readonly entries: readonly Entry[]; readonly next: number | null; readonly event: number };
  /** `event`: what comes has higher numbers. */
  watch: { readonly event: number };
  count: { readonly count: number };
  explain: Explanation;
  renew: { readonly id: number; readonly expires: number };
  cancel: { readonly id: number };
  space: SpaceState;
  spaces: { readonly spaces: readonly { readonly space: string; readonly tuples: number }[] };
}
export type Answer = Answers[Op];

const duration = { type: 'integer', minimum: 0, maximum: limits.durationMs, description: 'milliseconds' };
const ttl = { ...duration, minimum: 1 };
const tuple = {
  type: 'array',
  items: {},
  description: 'the fields, 1 to 64 JSON values',
  examples: [['todo', 1, 'water the plants']],
};
const template = {
  type: ['array', 'object'],
  description: 'one pattern per field, or {"$anyOf": [template, …]}',
  examples: [['todo', { $type: 'number' }, { $any: true }]],
};
const order = {
  description: 'which of the matches: oldest (default), newest, or the first by a field (counted from 0)',
  // Not anyOf: its first error would be that of the enum, whatever is wrong with the object.
  if: { type: 'object' },
  then: {
    properties: {
      field: { type: 'integer', minimum: 0, maximum: limits.fields - 1 },
      dir: { enum: ['asc', 'desc'] },
    },
    required: ['field'],
    additionalProperties: false,
  },
  else: { enum: ['oldest', 'newest'] },
};
const position = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const id = { type: ['integer', 'string'], description: 'id of an entry' };
const upTo = (maximum: number) => ({ type: 'integer', minimum: 1, maximum });

const args = (properties: Record<string, object>, ...required: string[]) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});
const matching = args({ template, timeout: duration, order }, 'template');

/** JSON Schemas of the arguments, space aside: the bodies of REST, and what a WebSocket request carries beside its number. */
export const argumentSchemas: Readonly<Record<Op, object>> = {
  out: args({ tuple, ttl, delay: duration, unless: template }, 'tuple'),
  outMany: args(
    {
      tuples: { type: 'array', minItems: 1, maxItems: limits.outManyTuples, items: tuple },
      ttl,
      delay: duration,
    },
    'tuples',
  ),
  in: matching,
  rd: matching,
  take: matching,
  read: matching,
  takeMany: args({ template, limit: upTo(limits.takeManyTuples), timeout: duration }, 'template'),
  scan: args(
    {
      template,
      limit: upTo(limits.scanEntries),
      after: { ...position, description: 'the `next` of a scan' },
    },
    'template',
  ),
  watch: args({ template, after: { ...position, description: 'number of the last event seen' } }, 'template'),
  count: args({ template }, 'template'),
  explain: args({ template, order }, 'template'),
  renew: args({ id, ttl }, 'id', 'ttl'),
  cancel: args({ id }, 'id'),
  space: args({}),
  spaces: args({}),
};

// A lossy number arrives as Infinity: strictNumbers does not take it for an integer.
const ajv = new Ajv2020({ strict: false, strictNumbers: true });
const validators = Object.fromEntries(
  Object.entries(argumentSchemas).map(([op, schema]) => [op, ajv.compile(schema)]),
) as Record<Op, ValidateFunction>;

export const isOp = (op: unknown): op is Op => typeof op === 'string' && Object.hasOwn(argumentSchemas, op);

/** Checks the arguments of an operation and compiles its templates. Throws `invalid` or `too_large`, naming the field. */
export function parseRequest(op: Op, space: unknown, values: unknown): Request {
  const validate = validators[op];
  if (!validate(values)) throw schemaFault(validate.errors?.[0]);
  if (op === 'spaces') return { op };
  checkName(space, 'space');
  return build(op, space, values as Arguments);
}

/** What the schema has let through. */
interface Arguments {
  tuple: Json;
  tuples: Json[];
  template: Json;
  unless?: Json;
  order?: 'oldest' | 'newest' | { field: number; dir?: 'asc' | 'desc' };
  timeout?: number;
  ttl?: number;
  delay?: number;
  limit?: number;
  after?: number;
  id: number | string;
}

function build(op: Exclude<Op, 'spaces'>, space: string, values: Arguments): Request {
  const { ttl, delay, timeout } = values;
  switch (op) {
    case 'out': {
      const unless = values.unless === undefined ? undefined : parseTemplate(values.unless, 'unless');
      return { op, space, tuple: encode(values.tuple, 'tuple'), ttl, delay, unless };
    }
    case 'outMany':
      return { op, space, tuples: values.tuples.map((one, at) => encode(one, `tuples[${at}]`)), ttl, delay };
    case 'in':
    case 'rd':
      return {
        op,
        space,
        template: parseTemplate(values.template),
        timeout,
        order: parseOrder(values.order),
      };
    case 'take':
    case 'read': {
      const order = parseOrder(values.order);
      return { op, space, template: parseTemplate(values.template), timeout: timeout ?? 0, order };
    }
    case 'takeMany': {
      const limit = values.limit ?? 100;
      return { op, space, template: parseTemplate(values.template), limit, timeout: timeout ?? 0 };
    }
    case 'scan': {
      const { limit = 100, after = 0 } = values;
      return { op, space, template: parseTemplate(values.template), limit, after };
    }
    case 'watch':
      return { op, space, template: parseTemplate(values.template), after: values.after };
    case 'count':
      return { op, space, template: parseTemplate(values.template) };
    case 'explain':
      return { op, space, template: parseTemplate(values.template), order: parseOrder(values.order) };
    case 'renew':
      return { op, space, id: values.id, ttl: ttl as number };
    case 'cancel':
      return { op, space, id: values.id };
    case 'space':
      return { op, space };
  }
}

const encode = (value: Json, field: string): EncodedTuple => ({
  text: encodeTuple(value, field),
  tuple: value as Tuple,
});

function parseOrder(order: Arguments['order']): Order {
  if (order === undefined) return 'oldest';
  return typeof order === 'string' ? order : { field: order.field, dir: order.dir ?? 'asc' };
}

/** ajv's first error, as ours: the path of the field, then what is wrong with it. */
export function schemaFault(error: ErrorObject | null | undefined): TupletError {
  if (!error) throw new Error('a failed validation has an error');
  const { instancePath, keyword, params, message } = error;
  const path = instancePath
    .slice(1)
    .replace(/\/(\d+)/g, '[$1]')
    .replaceAll('/', '.');
  const join = (key: string) => (path === '' ? key : `${path}.${key}`);
  if (keyword === 'additionalProperties')
    return invalid(join(params.additionalProperty), 'is not known here');
  if (keyword === 'required') return invalid(join(params.missingProperty), 'is required');
  return invalid(path === '' ? 'body' : path, message ?? 'is not valid');
}
