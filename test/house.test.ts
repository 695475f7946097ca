/** The house rules that a program can hold: who may import whom, and docs that keep step with the code. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorTable } from '../shared/errors.js';
import { limits } from '../shared/limits.js';
import { argumentSchemas } from '../shared/operations.js';

const root = resolve(import.meta.dirname, '..');

const filesIn = (room: string): string[] =>
  readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts'))
    .map(file => `${room}/${file}`);

const sources = ['shared', 'server', 'client', 'bench', 'examples'].flatMap(filesIn);

const importsOf = (file: string): string[] => {
  const text = readFileSync(join(root, file), 'utf8');
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
    ([, name]) => name as string,
  );
  return specifiers.map(name =>
    name.startsWith('.') ? relative(root, resolve(root, dirname(file), name)).replace(/\.js$/, '.ts') : name,
  );
};

/** What the files of a room may import of ours: the first rule whose room a file is in counts. */
const rules: readonly [room: string, ...allowed: string[]][] = [
  ['shared/', 'shared/'],
  ['server/store/', 'shared/', 'server/store/'],
  ['server/auth/', 'shared/', 'server/auth/'],
  ['server/engine/', 'shared/', 'server/engine/', 'server/store/store.ts'],
  ['server/conversation.ts', 'shared/', 'server/engine/', 'server/auth/'],
  ['server/transports/', 'shared/', 'server/transports/', 'server/conversation.ts'],
  ['server/http/', 'shared/', 'server/http/', 'server/engine/', 'server/auth/', 'server/conversation.ts'],
  ['server/embedded.ts', 'shared/', 'server/'],
  ['server/server.ts', 'shared/', 'server/'],
  ['server/main.ts', 'shared/', 'server/server.ts'],
  ['client/transports/in-process.ts', 'client/', 'server/embedded.ts'],
  ['client/cli/', 'shared/', 'client/', 'server/main.ts'],
  ['client/', 'shared/', 'client/'],
  ['bench/', ''],
  ['examples/', 'examples/'],
];

const isOurs = (name: string) => /^(shared|server|client|bench|test|examples)\//.test(name);

describe('import order', () => {
  test.each(sources)('%s imports only what its room may', file => {
    const rule = rules.find(([room]) => file.startsWith(room));
    expect(rule, `no rule for ${file}`).toBeDefined();
    const [, ...allowed] = rule as [string, ...string[]];
    const strangers = importsOf(file).filter(
      name => isOurs(name) && !allowed.some(room => name.startsWith(room)),
    );
    expect(strangers).toEqual([]);
  });

  test('shared and the browser door know no Node', () => {
    const reached = new Set<string>();
    const visit = (file: string) => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const name of importsOf(file)) if (isOurs(name)) visit(name);
    };
    visit('client/index.ts');
    for (const file of sources.filter(one => one.startsWith('shared/'))) visit(file);
    const nodeOnly = [...reached].flatMap(file =>
      importsOf(file).filter(name => name.startsWith('node:') || name === 'ws' || name.includes('sqlite')),
    );
    expect(nodeOnly).toEqual([]);
  });

  test('the tool sees imports: a forbidden one would be found', () => {
    expect(importsOf('client/transports/in-process.ts')).toContain('server/embedded.ts');
    expect(importsOf('server/engine/engine.ts')).toContain('server/store/store.ts');
  });
});

describe('docs in step', () => {
  const protocol = readFileSync(join(root, 'docs/protocol.md'), 'utf8');

  test.each(Object.entries(errorTable))(
    'docs/protocol.md has the error %s with its status',
    (code, { status }) => {
      expect(protocol).toMatch(new RegExp(`\\| \`${code}\` \\| ${status} \\|`));
    },
  );

  test.each(Object.keys(argumentSchemas))('docs/protocol.md has the operation %s', op => {
    expect(protocol).toContain(`| \`${op}\` |`);
  });

  test.each(Object.entries(limits))('docs/protocol.md has the limit %s with its number', (name, value) => {
    expect(protocol).toContain(`| \`${name}\` | ${value.toLocaleString('en-US')} |`);
  });

  test('every file in docs is reached from the README or ARCHITECTURE.md', () => {
    const linked = ['README.md', 'ARCHITECTURE.md']
      .map(file => readFileSync(join(root, file), 'utf8'))
      .join('\n');
    for (const file of readdirSync(join(root, 'docs'))) expect(linked).toContain(`docs/${file}`);
  });
});
