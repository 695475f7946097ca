/** The description is valid, complete and true. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { argumentSchemas, type Op } from '../../shared/operations.js';
import { RestWorld } from './rest-world.js';

let world: RestWorld;
// biome-ignore lint/suspicious/noExplicitAny: a document from outside.
let document: any;
beforeAll(async () => {
  world = await RestWorld.open();
  document = (await world.get('/openapi.json')).body;
});
afterAll(() => world[Symbol.asyncDispose]());

/** Every object in the document, with the path to it. */
function* objects(value: unknown, path = '#'): Generator<[string, Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return;
  yield [path, value as Record<string, unknown>];
  for (const [key, member] of Object.entries(value)) yield* objects(member, `${path}/${key}`);
}

const resolve = (reference: string): unknown =>
  reference
    .slice(2)
    .split('/')
    .reduce((at, key) => at?.[key], document);

const ajv = new Ajv2020({ strict: false });

/** What is wrong with a value by a schema of the document. */
function faults(schema: object, value: unknown): string {
  ajv.validate({ ...schema, components: document.components }, value);
  return ajv.errorsText();
}

/** A watch is answered by a stream without an end: watch.test.ts reads it. */
const ops = (Object.keys(argumentSchemas) as Op[]).filter(op => op !== 'watch');
const pathOf = (op: Op) =>
  op === 'spaces' ? '/v1/spaces' : op === 'space' ? '/v1/spaces/{space}' : `/v1/spaces/{space}/${op}`;
const operationOf = (op: Op) => {
  const { get, post } = document.paths[pathOf(op)];
  return get ?? post;
};

test('it is OpenAPI 3.1, the same at both places', async () => {
  expect(document.openapi).toMatch(/^3\.1\./);
  expect(document.info).toMatchObject({ title: 'tuplet', version: expect.any(String) });
  expect((await world.get('/v1/openapi.json')).body).toEqual(document);
});

test('every $ref resolves', () => {
  const references = [...objects(document)].filter(([, object]) => typeof object.$ref === 'string');
  expect(references.length).toBeGreaterThan(50);
  for (const [path, { $ref }] of references) expect(resolve($ref as string), path).toBeDefined();
});

test('every schema compiles', () => {
  const schemas = [...objects(document)].filter(([path]) => path.endsWith('/schema'));
  expect(schemas.length).toBeGreaterThan(50);
  const different = new Map(schemas.map(([, schema]) => [JSON.stringify(schema), schema]));
  for (const schema of different.values()) faults(schema, null);
});

test('every operation has an id of its own, responses that say what they are, and its path parameters', () => {
  const ids = new Set<unknown>();
  for (const [path, methods] of Object.entries<Record<string, Record<string, unknown>>>(document.paths)) {
    for (const operation of Object.values(methods)) {
      expect(ids.has(operation.operationId)).toBe(false);
      ids.add(operation.operationId);
      const responses = Object.values(operation.responses as Record<string, { description: string }>);
      for (const { description } of responses) expect(description).not.toMatch(/^$|Default Response/);
      const parameters = (operation.parameters ?? []) as { in: string; name: string; required: boolean }[];
      const named = parameters.filter(one => one.in === 'path' && one.required).map(one => one.name);
      expect(named).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    }
  }
});

describe.each(ops)('%s', op => {
  test('is described as it is checked', () => {
    const { requestBody, responses, operationId } = operationOf(op);
    expect(operationId).toBe(op);
    const isPost = world.app.hasRoute({ method: 'POST', url: pathOf(op).replace('{space}', ':space') });
    expect(requestBody !== undefined).toBe(isPost);
    const statuses = Object.keys(responses).map(Number);
    expect(statuses).toEqual(expect.arrayContaining([400, 401, 403, 429, 500, 503]));
    if (!isPost) return;
    expect(statuses).toEqual(expect.arrayContaining([413, 415, 422]));
    const { schema } = requestBody.content['application/json'];
    const { properties, required } = argumentSchemas[op] as { properties: object; required: string[] };
    expect(Object.keys(schema.properties)).toEqual(Object.keys(properties));
    expect(schema).toMatchObject({ required, additionalProperties: false });
  });
});

test('the examples are true', async () => {
  // In an order in which each finds what it needs.
  for (const op of ops) {
    const { requestBody, responses } = operationOf(op);
    const path = pathOf(op).replace('{space}', 'jobs');
    const media = requestBody?.content['application/json'];
    if (media) expect(faults(media.schema, media.example), op).toBe('No errors');
    const answer = media ? await world.post(path, media.example) : await world.get(path);
    expect(answer.status, `${op}: ${answer.text}`).toBe(op.startsWith('out') ? 201 : 200);
    const { schema } = responses[answer.status].content['application/json'];
    expect(faults(schema, answer.body), op).toBe('No errors');
    const refused = media ? await world.post(path, {}) : await world.get(`${path}?x`);
    const problem = responses[refused.status].content['application/problem+json'].schema;
    expect(faults(problem, refused.body), op).toBe('No errors');
  }
});

describe.each(['/docs', '/docs/', '/v1/docs', '/v1/docs/'])('the page at %s', path => {
  test('brings all that it loads', async () => {
    const page = await world.get(path);
    expect(page.status).toBe(200);
    expect(page.headers['content-security-policy']).toContain("default-src 'self'");
    const loaded = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url as string);
    expect(loaded.length).toBeGreaterThan(3);
    for (const url of loaded) {
      const { pathname, host } = new URL(url, `http://here${path}`);
      expect(host).toBe('here');
      expect((await world.get(pathname)).status, pathname).toBe(200);
    }
  });
});
