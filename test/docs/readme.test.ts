/** The README's examples are run as they stand there: only the address of the server is put in. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { transformSync } from 'esbuild';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startServer, type TupletServer } from '../../server/server.js';

const root = resolve(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
/** Inside the project, so that the examples find the package by its own name. */
const folder = join(root, 'dist', 'readme');

function block(language: string, containing: string): string {
  const blocks = [...readme.matchAll(/```(\w+)\n([\s\S]*?)```/g)];
  const found = blocks.find(([, name, text]) => name === language && text?.includes(containing));
  if (!found?.[2]) throw new Error(`the README has no ${language} block with ${containing}`);
  return found[2];
}

let server: TupletServer;
beforeEach(async () => {
  mkdirSync(folder, { recursive: true });
  server = await startServer({ store: 'memory:', port: 0 });
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

async function run(
  command: string,
  args: string[],
): Promise<{ stdout: string; stderr: string; status: number | null }> {
  const { spawn } = await import('node:child_process');
  const child = spawn(command, args, { cwd: root, env: { ...process.env, TUPLET_URL: server.url } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', data => {
    stdout += data;
  });
  child.stderr.on('data', data => {
    stderr += data;
  });
  const status = await new Promise<number | null>(done => child.on('close', done));
  return { stdout, stderr, status };
}

test('the first example', async () => {
  const file = join(folder, 'example.mjs');
  writeFileSync(file, transformSync(block('ts', 'connect'), { loader: 'ts' }).code);
  const { stdout, stderr, status } = await run(process.execPath, [file]);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  expect(stdout.trim().split('\n')).toHaveLength(10);
  expect(stdout).toContain('9 squared is 81');
});

test('the tour with curl', async () => {
  if (spawnSync('curl', ['--version']).error) throw new Error('this test needs curl');
  const script = block('sh', 'curl').replaceAll('http://127.0.0.1:7070', server.url);
  const { stdout, status } = await run('sh', ['-ec', script]);
  expect(status).toBe(0);
  const answers = [...stdout.matchAll(/\{.*?\}(?=\{|$)/gs)].map(([text]) => JSON.parse(text));
  expect(answers).toMatchObject([
    { id: expect.any(Number), position: expect.any(Number) },
    { id: expect.any(Number) },
    { tuple: ['todo', 2, 'feed the cat'] },
    { tuple: ['todo', 1, 'water the plants'] },
    { count: 1 },
  ]);
});

test('the tour with the command line', async () => {
  const script = block('sh', 'npx tuplet out').replaceAll(
    'npx tuplet',
    `${process.execPath} dist/client/cli/main.js`,
  );
  const { stdout, status } = await run('sh', ['-c', `set -e\n${script}`]);
  expect(status).toBe(0);
  expect(stdout).toContain('["todo",3,"call home"]');
  expect(stdout).toContain('status 1: no match');
});
