import { readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { connect, rest } from '../../client/node.js';
import { chunksOf, readChunk } from '../../examples/word-count/chunks.js';
import { countWords, differences } from '../../examples/word-count/words.js';
import { cleanUp, startNode, startServer, temporaryDirectory } from '../cli/processes.js';

afterEach(cleanUp);

const root = resolve(import.meta.dirname, '../..');
const example = join(root, 'dist/examples/word-count/main.js');

/** Texts that come with the packages that this project stands on. */
const realFiles = ['fastify', 'ajv', 'commander', 'ws', 'better-sqlite3'].flatMap(name => {
  const directory = join(root, 'node_modules', name);
  return readdirSync(directory)
    .filter(file => /^(readme|licen[cs]e)/i.test(file))
    .map(file => join(directory, file));
});

/** Words that are keys of objects, a word in three scripts, one too long for a tuple, and bytes that are no UTF-8. */
function writeHardFile(): string {
  const file = join(temporaryDirectory(), 'a hard one.txt');
  const text = `__proto__ constructor toString 'tis über Ünïcödé 東京 Ωmega ΩΣ\r\n${'x'.repeat(400_000)}\n`;
  const many = Array.from({ length: 60_000 }, (_, at) => `w${at}\t`).join('');
  writeFileSync(
    file,
    Buffer.concat([Buffer.from(text + many), Buffer.of(0xff, 0xe6, 0x20, 0x9d), Buffer.from('end')]),
  );
  return file;
}

describe('word-count', () => {
  test('counts real files as one process counts them', async () => {
    expect(realFiles.length).toBeGreaterThan(5);
    const args = ['--workers', '3', '--check', ...realFiles, writeHardFile()];
    const { status, stdout, stderr } = await startNode([example, ...args]).ended;
    expect(stdout).toContain('same as a single-process count: yes\n');
    expect(stdout.match(/^ +\d+ {2}\S+$/gm)).toHaveLength(20);
    expect(stdout).toMatch(
      new RegExp(`^${realFiles.length + 1} files, \\d+ words, \\d+ different ones$`, 'm'),
    );
    expect({ status, stderr }).toMatchObject({ status: 0 });
  });

  test('uses the server that it is given, and leaves nothing there', async () => {
    const { url } = await startServer(['--store', 'memory:']);
    const { status, stdout } = await startNode([example, '--url', url, '--check', ...realFiles.slice(0, 2)])
      .ended;
    expect(stdout).toContain('same as a single-process count: yes\n');
    expect(status).toBe(0);
    await using client = await connect(url);
    expect(await client.space('word-count').count([rest])).toBe(0);
  });

  test.each([[['no-such-file']], [['--workers', '0', example]]])('says what is wrong with %j', async args => {
    const { status, stdout, stderr } = await startNode([example, ...args]).ended;
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^word-count: /);
  });
});

describe('chunks', () => {
  test('lie end to end, and their words are the words of the file', async () => {
    const file = writeHardFile();
    const counts = new Map<string, number>();
    const ends = [0];
    for await (const chunk of chunksOf(file)) {
      expect(chunk.from).toBe(ends.at(-1));
      ends.push(chunk.to);
      countWords(await readChunk(chunk), counts);
    }
    expect(ends.length).toBeGreaterThan(2);
    const whole = countWords(await readChunk({ path: file, from: 0, to: ends.at(-1) as number }));
    expect(differences(counts, whole)).toEqual([]);
    expect(counts.get('__proto__')).toBe(1);
    expect(counts.get('東京')).toBe(1);
  });

  test('differences are told', () => {
    expect(differences(countWords('a a b'), countWords('a b c'))).toEqual(['a: 2 and 1', 'c: 0 and 1']);
  });
});
