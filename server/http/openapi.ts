/**
 * What the server says of itself: OpenAPI 3.1, made of the schemas by which requests are checked, and a page to read and try it.
 * The examples are true: a test sends each, and gets what is described.
 */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { type ErrorCode, errorTable } from '../../shared/errors.js';
import type { Json } from '../../shared/json.js';
import { limits } from '../../shared/limits.js';
import { argumentSchemas, type Op } from '../../shared/operations.js';
import { problemType, problemUrn, retried } from './problem.js';

const integer = { type: 'integer' };
const text = { type: 'string' };
const orNull = ({ type }: { type: string }, description: string) => ({ type: [type, 'null'], description });
const millis = { ...integer, description: 'milliseconds since 1970' };
const word = (...words: Json[]) => ({ enum: words });
const list = (items: object) => ({ type: 'array', items });
const object = (properties: Record<string, object>, optional: Record<string, object> = {}) => ({
  type: 'object',
  properties: { ...properties, ...optional },
  required: Object.keys(properties),
});
const ref = (name: keyof typeof components) => ({ $ref: `${name}#` });

const placed = object({ id: integer, position: orNull(integer, 'null until the entry becomes visible') });
const components = {
  Entry: object(
    {
      ...placed.properties,
      tuple: { ...list({}), examples: [['todo', 1, 'water the plants']] },
      returns: { ...integer, description: 'how often it was taken and given back' },
      created: millis,
    },
    { expires: millis },
  ),
  Problem: object(
    {
      type: { ...text, examples: [`${problemUrn}invalid`] },
      title: text,
      status: integer,
      detail: text,
      code: word(...Object.keys(errorTable)),
    },
    { field: text, outcome: { ...word('unknown'), description: 'something may have been done' } },
  ),
};

type Responses = Readonly<Record<number, object>>;

export const json = (description: string, schema: object) => ({
  description,
  content: { 'application/json': { schema } },
});

const entries = list(ref('Entry'));
const oneEntry = {
  200: json('the entry', ref('Entry')),
  204: { description: 'no match in time', type: 'null' },
};
const template = ['todo', { $type: 'number' }, { $any: true }];

/** What an operation does, what it answers, and an example of what is posted; what has none is got. */
const descriptions: Readonly<Record<Op, readonly [string, Responses, Json?]>> = {
  out: [
    'Puts a tuple into the space',
    {
      201: json('where it stands', placed),
      200: json('`unless` matched', object({ created: word(false), existing: integer })),
    },
    { tuple: ['todo', 1, 'water the plants'], ttl: 3_600_000 },
  ],
  outMany: [
    'Puts all tuples into the space, or none',
    { 201: json('where they stand', object({ entries: list(placed) })) },
    { tuples: [2, 3, 4, 5].map(number => ['todo', number, 'feed the cat']) },
  ],
  in: ['Takes a match, waiting for one', oneEntry, { template, timeout: 1_000 }],
  rd: ['Reads a match, waiting for one', oneEntry, { template, timeout: 1_000 }],
  take: ['Takes a match, if there is one', oneEntry, { template, order: 'newest' }],
  read: ['Reads a match, if there is one', oneEntry, { template, order: { field: 1, dir: 'desc' } }],
  takeMany: [
    'Takes many matches',
    { 200: json('what was taken, maybe nothing', object({ entries })) },
    { template: ['todo', { $gt: 3 }, { $rest: true }], limit: 10 },
  ],
  scan: [
    'Lists the matches, oldest first',
    {
      200: json(
        'a page',
        object({
          entries,
          next: orNull(integer, 'the `after` of the next page'),
          event: { ...integer, description: 'what a watch goes on from' },
        }),
      ),
    },
    { template: [{ $rest: true }], limit: 100 },
  ],
  watch: [
    'Shows what happens to matches: server-sent events, each {event, type, entry}',
    {
      200: {
        description: 'a stream of events of type out, taken, expired, cancelled, returned, or truncated',
        content: { 'text/event-stream': { schema: text } },
      },
    },
    { template },
  ],
  count: ['Counts the matches', { 200: json('how many', object({ count: integer })) }, { template }],
  explain: [
    'Tells how a template is looked up',
    {
      200: json(
        'the index, and what it is used for',
        object({
          index: orNull(text, 'null: the space is scanned'),
          exact: list(integer),
          range: orNull(integer, 'the field that it ranges over or orders by'),
          order: {},
          scan: { type: 'boolean' },
        }),
      ),
    },
    { template: ['todo', { $gt: 2 }, { $any: true }] },
  ],
  renew: [
    'Sets the end of an entry: `ttl` from now',
    { 200: json('the new end', object({ id: integer, expires: millis })), ...problems('not_found') },
    { id: 2, ttl: 60_000 },
  ],
  cancel: [
    'Removes an entry',
    { 200: json('what was removed', object({ id: integer })), ...problems('not_found') },
    { id: 2 },
  ],
  space: [
    'The state of a space',
    {
      200: json(
        'now',
        object({ space: text, tuples: integer, waiters: integer, watches: integer, holds: integer }),
      ),
    },
  ],
  spaces: [
    'The spaces',
    { 200: json('all', object({ spaces: list(object({ space: text, tuples: integer })) })) },
  ],
};

/** Operations that are asked by POST to /spaces/{space}/{op}, and answered once. */
export const postedOps = (Object.keys(descriptions) as Op[]).filter(
  op => op !== 'watch' && descriptions[op][2] !== undefined,
);

/** Responses that are problems, by status. */
export function problems(...codes: ErrorCode[]): Responses {
  const content = { [problemType]: { schema: ref('Problem') } };
  const headers = { 'Retry-After': { ...integer, description: 'seconds' } };
  const response = (code: ErrorCode) => {
    const { status, meaning } = errorTable[code];
    return [status, { description: `${code}: ${meaning}`, content, ...(status in retried && { headers }) }];
  };
  return Object.fromEntries(codes.map(response));
}

/** The schema of an operation's route. */
export function describe(op: Op): FastifySchema {
  const [summary, answers, example] = descriptions[op];
  const name = { ...text, maxLength: limits.spaceNameCharacters, examples: ['jobs'] };
  const common = problems('invalid', 'unauthorized', 'forbidden', 'limit', 'internal', 'unavailable');
  const got = {
    operationId: op,
    summary,
    tags: ['spaces'],
    response: { ...answers, ...common },
    ...(op !== 'spaces' && { params: object({ space: name }) }),
  };
  if (example === undefined) return got;
  return {
    ...got,
    headers: object({}, { 'Idempotency-Key': idempotencyKey }),
    body: { ...bodySchema(op), examples: [example] },
    response: { ...got.response, ...problems('too_large', 'unsupported_media', 'key_reused') },
  };
}

const idempotencyKey = {
  type: 'string',
  minLength: 1,
  maxLength: limits.idempotencyKeyCharacters,
  description:
    'a request that comes again with its key is not done again: its answer is kept for ten minutes',
};

/** The arguments of an operation, with the bounds that waits have here. */
function bodySchema(op: Op): object {
  const { properties, ...rest } = argumentSchemas[op] as { properties: Record<string, object> };
  if (!properties.timeout) return { ...rest, properties };
  const usual = op === 'in' || op === 'rd' ? limits.restDefaultWaitMs : 0;
  const timeout = { ...properties.timeout, maximum: limits.restWaitMs, default: usual };
  return { ...rest, properties: { ...properties, timeout } };
}

/** Nothing that the page needs comes from elsewhere; what it would load or run all the same is blocked. */
const pagePolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/** Describes all routes with a tag that are registered later. */
export async function openApi(app: FastifyInstance): Promise<void> {
  for (const [name, schema] of Object.entries(components)) app.addSchema({ $id: name, ...schema });
  await app.register(swagger, {
    hideUntagged: true,
    openapi: {
      openapi: '3.1.0',
      info: { title: 'tuplet', version: '1', description: 'Tuples in named spaces, put, read and taken.' },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      // A server may want no token.
      security: [{ token: [] }, {}],
    },
    refResolver: { buildLocalReference: ({ $id }) => $id as string },
  });
  for (const prefix of ['', '/v1']) {
    app.get(`${prefix}/openapi.json`, async () => app.swagger());
    const page = { routePrefix: `${prefix}/docs`, staticCSP: pagePolicy };
    // In a scope of its own: the plugin decorates the one that it is registered in.
    await app.register(scope => scope.register(swaggerUi, page));
  }
}
