import { expect, test } from 'vitest';
import { limits } from '../../shared/limits.js';
import { compileSchema } from '../../shared/schema.js';

const digits = { type: 'string', minLength: 1 };

test('equal schemas are compiled once', () => {
  expect(compileSchema({ minLength: 1, type: 'string' }, 'a')).toBe(compileSchema(digits, 'b'));
});

test('the least recently used is forgotten, and compiled again', () => {
  const [used, unused] = [compileSchema(digits, 'a'), compileSchema({ const: 'unused' }, 'a')];
  for (let n = 1; n < limits.schemasCompiled; n++) {
    compileSchema({ const: n }, 'a');
    compileSchema(digits, 'a');
  }
  expect(compileSchema(digits, 'a')).toBe(used);
  expect(compileSchema({ const: 'unused' }, 'a')).not.toBe(unused);
  expect(['', 'a', 1].map(used)).toEqual([false, true, false]);
});
