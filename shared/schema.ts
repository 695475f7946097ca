/**
 * `$schema` patterns: JSON Schema (2020-12) compiled once by ajv, from a list of keywords whose cost is bounded by schema size times
 * value size. No regular expressions of users (pattern, patternProperties, format), no references, no uniqueItems (quadratic).
 */
import { Ajv2020, type FuncKeywordDefinition } from 'ajv/dist/2020.js';
import { invalid, TupletError } from './errors.js';
import { canonicalJson, equalJson, isObject, type Json, type JsonObject } from './json.js';
import { limits } from './limits.js';
import { utf8Bytes } from './tuple.js';

export type SchemaTest = (value: Json) => boolean;

const plainKeywords = new Set(
  `type const enum minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength minItems maxItems
  minContains maxContains minProperties maxProperties required dependentRequired title description default examples
  $comment`.split(/\s+/),
);
const schemaKeywords = new Set(
  'not if then else items contains additionalProperties propertyNames unevaluatedItems unevaluatedProperties'.split(
    ' ',
  ),
);
const schemaListKeywords = new Set('allOf anyOf oneOf prefixItems'.split(' '));
const schemaMapKeywords = new Set('properties dependentSchemas $defs'.split(' '));

const options = { strict: false, validateFormats: false, logger: false, addUsedSchema: false } as const;

/** ajv's own equality calls `valueOf` and `toString` of the data, and its own `required` takes the key "" for no fault. */
const ownKeywords: FuncKeywordDefinition[] = [
  { keyword: 'const', compile: (constant: Json) => (value: Json) => equalJson(constant, value) },
  {
    keyword: 'enum',
    metaSchema: { minItems: 1 },
    compile: (values: Json[]) => (value: Json) => values.some(one => equalJson(one, value)),
  },
  {
    keyword: 'required',
    type: 'object',
    compile: (keys: string[]) => (value: JsonObject) => keys.every(key => Object.hasOwn(value, key)),
  },
  {
    keyword: 'dependentRequired',
    type: 'object',
    compile: (keys: Record<string, string[]>) => (value: JsonObject) =>
      Object.entries(keys).every(
        ([key, needed]) => !Object.hasOwn(value, key) || needed.every(other => Object.hasOwn(value, other)),
      ),
  },
];

/** An ajv for data with any keys: {} has no `toString`, whatever JavaScript says. */
function freshAjv(): Ajv2020 {
  const fresh = new Ajv2020({ ...options, ownProperties: true });
  for (const own of ownKeywords) fresh.removeKeyword(own.keyword as string).addKeyword(own);
  return fresh;
}

let ajv = freshAjv();
let compilations = 0;
const compiled = new Map<string, SchemaTest>();

/** The test of a schema. The same schema is compiled once; the least recently used of many is forgotten. Throws `invalid`. */
export function compileSchema(schema: Json, field: string): SchemaTest {
  const text = canonicalJson(schema);
  const known = compiled.get(text);
  const test = known ?? compile(schema, text, field);
  compiled.delete(text);
  compiled.set(text, test);
  if (compiled.size > limits.schemasCompiled) compiled.delete(compiled.keys().next().value as string);
  return test;
}

function compile(schema: Json, text: string, field: string): SchemaTest {
  if (utf8Bytes(text) > limits.schemaBytes) {
    throw new TupletError('too_large', `${field}: a schema has at most ${limits.schemaBytes} bytes`, {
      field,
    });
  }
  checkSchema(schema, field);
  if (typeof schema === 'boolean') return () => schema;
  try {
    // ajv never forgets all of what it compiled: ours is the only cache, and it is bounded.
    if (++compilations % limits.schemasCompiled === 0) ajv = freshAjv();
    const validate = ajv.compile(schema as JsonObject);
    ajv.removeSchema(schema as JsonObject);
    return value => validate(value) === true;
  } catch (cause) {
    throw new TupletError('invalid', `${field}: ${(cause as Error).message}`, { field, cause });
  }
}

function checkSchema(schema: Json, field: string): void {
  if (typeof schema === 'boolean') return;
  if (!isObject(schema)) throw invalid(field, 'a schema is an object or a boolean');
  for (const [keyword, value] of Object.entries(schema)) {
    const at = `${field}.${keyword}`;
    if (plainKeywords.has(keyword)) continue;
    if (schemaKeywords.has(keyword)) checkSchema(value, at);
    else if (schemaListKeywords.has(keyword) && Array.isArray(value)) {
      for (const [index, item] of value.entries()) checkSchema(item, `${at}[${index}]`);
    } else if (schemaMapKeywords.has(keyword) && isObject(value)) {
      for (const [name, item] of Object.entries(value)) checkSchema(item, `${at}.${name}`);
    } else throw invalid(at, 'this schema keyword is not supported here, or has no such value');
  }
}
