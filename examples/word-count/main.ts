/**
 * Counts the words of files with several processes, which meet in a space.
 *
 *   node dist/examples/word-count/main.js [--url ws://…] [--workers 4] [--check] FILE...
 *
 * Without --url it starts a server of its own. --check counts again in this process alone, and compares.
 */
import { randomUUID } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { connect } from 'tuplet';
import { coordinate } from './coordinator.js';
import { startServer, startWorker } from './processes.js';
import { type Counts, countWords, differences } from './words.js';

const usage = 'usage: word-count [--url ADDRESS] [--workers NUMBER] [--check] FILE...';
const shown = 20;

async function countTogether(url: string, workers: number, files: readonly string[]): Promise<Counts> {
  await using client = await connect(url);
  const id = randomUUID();
  const ends = Array.from({ length: workers }, () => startWorker(url, id).ended);
  const all = Promise.all(ends);
  const counts = await Promise.race([
    coordinate(client, { id, files, workers, onProgress: process.stderr.isTTY ? showProgress : () => {} }),
    // Only a failed worker ends before the coordinator does.
    all.then(() => new Promise<never>(() => {})),
  ]);
  await all;
  return counts;
}

function showProgress(counted: number, chunks: number): void {
  process.stderr.write(`\r${counted}/${chunks} chunks${counted === chunks ? '\n' : ''}`);
}

async function countAlone(files: readonly string[]): Promise<Counts> {
  const counts: Counts = new Map();
  for (const file of files) countWords(await readFile(file, 'utf8'), counts);
  return counts;
}

function report(files: number, counts: Counts): string {
  const rows = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const words = rows.reduce((sum, [, times]) => sum + times, 0);
  const lines = rows.slice(0, shown).map(([word, times]) => `${String(times).padStart(9)}  ${word}`);
  return [...lines, `${files} files, ${words} words, ${rows.length} different ones`, ''].join('\n');
}

async function checkFiles(files: readonly string[]): Promise<void> {
  for (const file of files) {
    if (!(await stat(file)).isFile()) throw new Error(`${file} is not a file`);
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      workers: { type: 'string', default: '4' },
      check: { type: 'boolean', default: false },
    },
  });
  const workers = Number(values.workers);
  if (positionals.length === 0 || !Number.isInteger(workers) || workers < 1) throw new Error(usage);
  const files = positionals.map(file => resolve(file));
  await checkFiles(files);

  await using server = values.url === undefined ? await startServer() : undefined;
  const counts = await countTogether(values.url ?? server?.url ?? '', workers, files);
  process.stdout.write(report(files.length, counts));
  if (!values.check) return 0;

  const different = differences(counts, await countAlone(files));
  process.stdout.write(`same as a single-process count: ${different.length === 0 ? 'yes' : 'no'}\n`);
  if (different.length > 0) process.stderr.write(`${different.slice(0, shown).join('\n')}\n`);
  return different.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`word-count: ${(error as Error).message}\n`);
  process.exit(1);
}
