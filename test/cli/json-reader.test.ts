import { describe, expect, test } from 'vitest';
import { readJson } from '../../client/cli/json-reader.js';
import { UsageError } from '../../client/cli/status.js';
import {
  bareWords,
  everything,
  readTemplate,
  readTuple,
  readTuples,
} from '../../client/cli/template-text.js';
import { encodeTemplate } from '../../client/formals.js';

const read = (text: string) => readJson('template', text, bareWords);

describe('what is read', () => {
  test.each([
    ['["job", number, any]', ['job', { $type: 'number' }, { $any: true }]],
    [
      '[string,integer,boolean,object,array]',
      ['string', 'integer', 'boolean', 'object', 'array'].map($type => ({ $type })),
    ],
    ['[null, true, false, rest]', [null, true, false, { $rest: true }]],
    ['["number", "any]", "\\"any", "null"]', ['number', 'any]', '"any', 'null']],
    ['[{"a": number, "any": [any]}]', [{ a: { $type: 'number' }, any: [{ $any: true }] }]],
    ['["job", {"$gt": 5}]', ['job', { $gt: 5 }]],
    [
      '[{"$not": number}, {"$has": {"x": any}}]',
      [{ $not: { $type: 'number' } }, { $has: { x: { $any: true } } }],
    ],
    ['[{"$or": [number, null]}]', [{ $or: [{ $type: 'number' }, null] }]],
    ['{"$anyOf": [["a", any], ["b"]]}', { $anyOf: [['a', { $any: true }], ['b']] }],
    ['[{"$schema": {"type": "number", "not": false}}]', [{ $schema: { type: 'number', not: false } }]],
    [' [ -1.5e3 ,\n\t0 , 9007199254740992 ] ', [-1500, 0, 9007199254740992]],
    ['["\\u00e9\\n", "𝒳"]', ['é\n', '𝒳']],
    ['[]', []],
    ['{}', {}],
  ])('%s', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  test('plain JSON as JSON.parse reads it', () => {
    const text = '{"a":[1,-0.5,1e-7,"\\ud83d\\ude00",{"":null}],"a":[],"b":{"c":[[[]]]}}';
    expect(read(text)).toEqual(JSON.parse(text));
  });

  test('the key __proto__ becomes a member, to be refused as one', () => {
    expect(Object.keys(read('{"__proto__": 1}') as object)).toEqual(['__proto__']);
    expect(() => readTuple('[{"__proto__": 1}]')).toThrow('__proto__');
  });
});

describe('what is not, and where', () => {
  test.each([
    ['["job", nubmer, any]', 'nubmer', 8],
    ['["job", undefined]', 'undefined', 8],
    ['[any, any2]', 'any2', 6],
    ["['job']", 'double quotes', 1],
    ['["job", 1', 'missing', 9],
    ['["job" 1]', 'missing', 7],
    ['["job",]', 'missing', 7],
    ['["job', 'no end', 1],
    ['["a\\x"]', 'escape', 1],
    ['["a\u0001"]', 'control', 1],
    ['[01]', 'number', 1],
    ['[1.]', 'number', 1],
    ['[-]', 'number', 1],
    ['[1x]', 'number', 1],
    ['[+1]', 'missing', 1],
    ['[9007199254740993]', 'double', 1],
    ['[1e400]', 'double', 1],
    ['[1] 2', 'behind the end', 4],
    ['{any: 1}', 'key', 1],
    ['{"a" 1}', 'colon', 5],
    ['{"a": 1,}', 'key', 8],
    ['', 'too soon', 0],
    ['-', 'number', 0],
    ['[{"$eq": number}]', 'wants a value', 9],
    ['[{"$oneOf": ["a", any]}]', 'wants a value', 18],
  ])('%j: %s at %i', (text, message, place) => {
    const fault = faultOf(() => read(text));
    expect(fault).toBeInstanceOf(UsageError);
    const [first, shown, mark] = (fault as Error).message.split('\n') as [string, string, string];
    expect(first).toContain(message);
    expect(first).toMatch(/^template: /);
    expect(shown).toBe(`  ${text}`);
    expect(mark).toBe(`  ${' '.repeat(place)}^`);
  });

  test('a long text is shown around the place, one of many lines by its line', () => {
    const long = `[${'1, '.repeat(100)}oops${', 1'.repeat(100)}]`;
    const [, shown = '', mark = ''] = (faultOf(() => read(long)) as Error).message.split('\n');
    expect(shown.length).toBeLessThan(90);
    expect(shown.slice(mark.length - 1)).toMatch(/^oops/);
    const lines = (faultOf(() => read('[\n  "a",\n  oops\n]')) as Error).message.split('\n');
    expect(lines.slice(1)).toEqual(['    oops', '    ^']);
  });

  test('nesting without end', () => {
    expect(() => read('['.repeat(100_000))).toThrow('nested too deep');
  });
});

describe('templates and tuples', () => {
  test.each([
    ['["job", number, rest]', ['job', { $type: 'number' }, { $rest: true }]],
    ['["job", {"$gte": 1, "$lt": 9}]', ['job', { $gte: 1, $lt: 9 }]],
    ['[{"user": {"$prefix": "a"}}]', [{ user: { $prefix: 'a' } }]],
    ['{"$anyOf": [["a", any], [rest]]}', { $anyOf: [['a', { $any: true }], [{ $rest: true }]] }],
  ])('%s goes to the wire as it is meant', (text, wire) => {
    expect(encodeTemplate(readTemplate(text))).toEqual(wire);
  });

  test('everything is one rest', () => {
    expect(encodeTemplate(everything)).toEqual([{ $rest: true }]);
  });

  test.each([
    '5',
    '{}',
    '{"$anyOf": []}',
    '[]',
    '[rest, any]',
    '[{"$nope": 1}]',
    '[{"$gt": 1, "a": 2}]',
    '{"a": [1]}',
  ])('%s is no template', text => {
    expect(faultOf(() => readTemplate(text))).toMatchObject({ code: 'invalid' });
  });

  test('a tuple has no formals of words, and may have $ keys as data', () => {
    expect(() => readTuple('["a", number]')).toThrow(UsageError);
    expect(readTuple('["a", {"$gt": 5}]')).toEqual(['a', { $gt: 5 }]);
  });

  test.each(['[]', '5', '{"a": 1}', '"-"', `[${'1,'.repeat(64)}1]`])('%s is no tuple', text => {
    expect(faultOf(() => readTuple(text))).toMatchObject({ code: 'invalid' });
  });

  test('tuples are an array of tuples; a bad one is named', () => {
    expect(readTuples('[["a"], ["b", 1]]')).toEqual([['a'], ['b', 1]]);
    expect(faultOf(() => readTuples('[["a"], 5]'))).toMatchObject({ code: 'invalid', field: 'tuples[1]' });
    expect(() => readTuples('{}')).toThrow(UsageError);
  });
});

function faultOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('there was no fault');
}
