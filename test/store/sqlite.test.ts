/** The SQLite store: the contract of all stores, in memory and in a file, and what only a file has. Files, since files are its matter. */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { migrations } from '../../server/store/migrations/index.js';
import { openSqlite } from '../../server/store/sqlite.js';
import { type OpenStore, storeContract } from '../contract/store.js';
import { find, inBatch, insert, newEntry } from '../support/lookups.js';

function temporaryFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tuplet-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, 'tuplet.db');
}

function openFile(file: string): OpenStore {
  const store = openSqlite(file);
  onTestFinished(() => store.close());
  return { store, reopen: async () => openFile(copyOf(file)) };
}

/** The files as a process that dies now leaves them. */
function copyOf(file: string): string {
  const copy = temporaryFile();
  for (const name of readdirSync(dirname(file))) {
    copyFileSync(join(dirname(file), name), join(dirname(copy), name));
  }
  return join(dirname(copy), basename(file));
}

storeContract(
  'sqlite in memory',
  async () => {
    const store = openSqlite(':memory:');
    onTestFinished(() => store.close());
    return { store };
  },
  { keeps: false },
);

storeContract('sqlite in a file', async () => openFile(temporaryFile()), { keeps: true });

const refusal = (file: string): unknown => {
  try {
    openSqlite(file).close();
  } catch (error) {
    return error;
  }
  throw new Error('it was opened');
};

describe('sqlite files', () => {
  test('a commit returns after its fsync: WAL with synchronous = FULL', () => {
    const store = openSqlite(temporaryFile());
    onTestFinished(() => store.close());
    expect(store.get('PRAGMA synchronous')).toEqual({ synchronous: 2 });
    expect(store.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' });
  });

  test('a close leaves all in one file, and the next open finds it', async () => {
    const file = temporaryFile();
    const first = openSqlite(file);
    const [entry] = await insert(first, 's', ['a']);
    await inBatch(first, batch => batch.insert('s', [newEntry(['later'], { visible: 1 })]));
    first.close();
    expect(readdirSync(dirname(file))).toEqual([basename(file)]);
    const { store } = openFile(file);
    expect((await find(store, 's')).entries).toEqual([entry]);
    const [fresh] = await insert(store, 's', ['b']);
    expect(fresh?.position).toBeGreaterThan(entry?.position as number);
    expect(await inBatch(store, batch => batch.size('s'))).toBe(2);
  });

  test('a second server on the same file is refused, even before the first has written', async () => {
    const file = temporaryFile();
    const { store } = openFile(file);
    expect(refusal(file)).toMatchObject({ code: 'unavailable', message: expect.stringContaining(file) });
    await insert(store, 's', ['a']);
    expect(refusal(file)).toMatchObject({ code: 'unavailable', message: expect.stringContaining(file) });
  });

  test('a database of a newer tuplet is refused and left as it is', () => {
    const file = temporaryFile();
    openSqlite(file).close();
    const newer = migrations.length + 1;
    edit(file, database => database.pragma(`user_version = ${newer}`));
    expect(refusal(file)).toMatchObject({ code: 'unavailable', message: expect.stringContaining(file) });
    expect(edit(file, database => database.pragma('user_version', { simple: true }))).toBe(newer);
  });

  test('a file that is no database is refused and left as it is', () => {
    const file = temporaryFile();
    const text = 'dear diary, '.repeat(1_000);
    writeFileSync(file, text);
    expect(refusal(file)).toMatchObject({ code: 'unavailable', message: expect.stringContaining(file) });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test.each([0, 7])(
    'a database of another program (user_version %i) is refused and left as it is',
    version => {
      const file = temporaryFile();
      edit(file, database =>
        database.exec(`CREATE TABLE entries (recipe TEXT); PRAGMA user_version = ${version}`),
      );
      const before = readFileSync(file);
      expect(refusal(file)).toMatchObject({ code: 'unavailable', message: expect.stringContaining(file) });
      expect(readFileSync(file).equals(before)).toBe(true);
    },
  );

  test('a directory that is not there is refused', () => {
    const file = join(dirname(temporaryFile()), 'nowhere', 'tuplet.db');
    expect(refusal(file)).toMatchObject({ code: 'unavailable', message: expect.stringContaining(file) });
  });
});

/** What somebody else does to the file, and finds in it. */
function edit<T>(file: string, change: (database: Database.Database) => T): T {
  const database = new Database(file);
  try {
    return change(database);
  } finally {
    database.close();
  }
}
