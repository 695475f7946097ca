/**
 * The store on SQLite: a file, or memory.
 * - One connection, locked for itself: a second server on the same file is refused. WAL with `synchronous = FULL`, so that a commit
 *   returns after its fsync (better-sqlite3's default in WAL mode, NORMAL, loses commits with the power).
 * - Numbers are reserved in blocks within the batch that first needs one; after a crash the rest of a block is skipped.
 * - Indexes are made when a search first needs them. There are at most eight, so a database pays for each once in its life.
 */
import Database from 'better-sqlite3';
import { TupletError } from '../../shared/errors.js';
import type { Json } from '../../shared/json.js';
import { limits } from '../../shared/limits.js';
import type { Entry, Explanation, Order } from '../../shared/operations.js';
import type { Template } from '../../shared/template.js';
import type { Tuple } from '../../shared/tuple.js';
import { indexKey } from './keys.js';
import { migrations } from './migrations/index.js';
import { type Index, keyedFields } from './plan.js';
import { boundLimit, type Row, type Rows, rowColumns, toEntry } from './sqlite-rows.js';
import { countMatches, explainSearch, findMatches } from './sqlite-search.js';
import type {
  Batch,
  CountLookup,
  Found,
  Lookup,
  NewEntry,
  RecordedAnswer,
  Store,
  Swept,
  Tally,
} from './store.js';

const reservedAtOnce = 4096;
/** "tupl": marks a database as ours. */
const applicationId = 0x7475706c;

/** What is left of an entry that was deleted. */
interface Placed {
  readonly space: number;
  readonly position: number | null;
}

/**
 * Databases and statements are never garbage collected: on Node 24 the process aborts when one is (since 24.21 the end of an ObjectWrap,
 * which better-sqlite3 12 derives them from, wants an environment, and a collection has none). They are few, for each opening, and what
 * is closed holds none of SQLite's memory.
 */
const uncollected: unknown[] = [];

function keep<T>(object: T): T {
  uncollected.push(object);
  return object;
}

/** The first value of the first row. */
const ask = (database: Database.Database, sql: string): unknown => keep(database.prepare(sql).pluck()).get();

/** Opens, or makes, the database in `file` (`:memory:` for none). Throws `unavailable` if it cannot be had for itself. */
export function openSqlite(file: string): SqliteStore {
  let database: Database.Database | undefined;
  try {
    database = keep(new Database(file, { timeout: 0 }));
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    checkOurs(database, file);
    database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = FULL');
    database.exec('PRAGMA temp_store = MEMORY');
    database.exec('PRAGMA cache_size = -65536');
    // A log of 32 MiB, which is overwritten and does not shrink. Among a million tuples most writes touch pages of their own, and each
    // checkpoint writes all of them to their places: with SQLite's own 4 MiB that took a third of the time.
    database.exec('PRAGMA wal_autocheckpoint = 8000');
    migrate(database, file);
    return new SqliteStore(database);
  } catch (cause) {
    database?.close();
    throw openingFault(file, cause);
  }
}

function openingFault(file: string, cause: unknown): unknown {
  if (cause instanceof TupletError) return cause;
  const code = (cause as { code?: string }).code ?? '';
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    return new TupletError('unavailable', `${file} is in use: another server has it open`, { cause });
  }
  if (code === 'SQLITE_NOTADB') return notOurs(file, cause);
  return new TupletError('unavailable', `${file} cannot be opened: ${(cause as Error).message}`, { cause });
}

/** Before anything is written to it: a database of another program stays as it is. */
function checkOurs(database: Database.Database, file: string): void {
  const marked = ask(database, 'PRAGMA application_id') === applicationId;
  const isEmpty = ask(database, 'SELECT 1 FROM sqlite_schema') === undefined;
  if (!marked && !isEmpty) throw notOurs(file);
}

const notOurs = (file: string, cause?: unknown) =>
  new TupletError('unavailable', `${file} is not a tuplet database: give another file`, { cause });

function migrate(database: Database.Database, file: string): void {
  const version = ask(database, 'PRAGMA user_version') as number;
  if (version > migrations.length) {
    throw new TupletError(
      'unavailable',
      `${file} was written by a newer tuplet (version ${version}, this one knows ${migrations.length})`,
    );
  }
  // A write takes the exclusive lock now and not at the first request.
  database.exec('BEGIN IMMEDIATE');
  for (const migration of migrations.slice(version)) database.exec(migration);
  database.exec(
    `PRAGMA user_version = ${migrations.length}; PRAGMA application_id = ${applicationId}; COMMIT`,
  );
}

export class SqliteStore implements Store, Batch, Rows {
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();
  readonly #spaces = new Map<string, number>();
  /** Indexes that exist: those made in a batch stay, since a batch either commits or ends the server. */
  readonly #indexes: Set<string>;
  /** Visible entries of each space, counted when first asked for and kept from then on. */
  #sizes: Map<number, number> | undefined;
  readonly #numbers: Sequence;
  readonly #eventNumbers: Sequence;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#numbers = new Sequence(this, 'entries');
    this.#eventNumbers = new Sequence(this, 'events');
    for (const { id, name } of this.all<{ id: number; name: string }>('SELECT id, name FROM spaces')) {
      this.#spaces.set(name, id);
    }
    const names = this.all<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'index'");
    this.#indexes = new Set(names.map(({ name }) => name));
  }

  begin(): Batch {
    this.run('BEGIN');
    return this;
  }

  commit(): void {
    this.run('COMMIT');
  }

  close(): void {
    this.#database.close();
  }

  // Rows: what the searches of sqlite-search.ts stand on.

  all<T>(sql: string, ...values: unknown[]): T[] {
    return this.#prepare(sql).all(...values) as T[];
  }

  get<T>(sql: string, ...values: unknown[]): T | undefined {
    return this.#prepare(sql).get(...values) as T | undefined;
  }

  run(sql: string, ...values: unknown[]): number {
    return this.#prepare(sql).run(...values).changes;
  }

  #prepare(sql: string): Database.Statement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = keep(this.#database.prepare(sql));
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  spaceId(name: string): number | undefined {
    return this.#spaces.get(name);
  }

  /** The name of an index in SQL; it is made if it is not there yet. */
  need(index: Index): string {
    const name = `by_${index.name}`;
    if (!this.#indexes.has(name)) {
      const columns = index.fields.map(field => `k${field + 1}, `).join('');
      this.#database.exec(
        `CREATE INDEX IF NOT EXISTS ${name} ON entries (space, ${columns}position) WHERE position IS NOT NULL`,
      );
      this.#indexes.add(name);
    }
    return name;
  }

  // Batch: searches.

  find(lookup: Lookup): Found {
    return findMatches(this, lookup);
  }

  count(lookup: CountLookup): Tally {
    return countMatches(this, lookup);
  }

  explain(_space: string, template: Template, order: Order): Explanation {
    return explainSearch(template, order);
  }

  // Batch: writes.

  insert(space: string, entries: readonly NewEntry[]): Entry[] {
    const spaceId = this.#spaces.get(space) ?? this.#addSpace(space);
    return entries.map(entry => this.#insertOne(spaceId, entry));
  }

  #insertOne(space: number, { tuple, created, visible, expires }: NewEntry): Entry {
    const id = this.takeNumber();
    const position = visible === undefined ? id : null;
    const keys: (Buffer | null)[] = [];
    for (let field = 0; field < keyedFields; field++) {
      keys.push(field < tuple.tuple.length ? indexKey(tuple.tuple[field] as Json) : null);
    }
    this.run(
      `INSERT INTO entries (id, space, position, body, k1, k2, k3, k4, created, visible, expires)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[id, space, position, tuple.text, ...keys, created, visible ?? null, expires ?? null],
    );
    if (position !== null) this.#resize(space, 1);
    const entry = { id, position, tuple: tuple.tuple, returns: 0, created };
    return expires === undefined ? entry : { ...entry, expires };
  }

  #addSpace(name: string): number {
    if (this.#spaces.size >= limits.spaces) {
      throw new TupletError('limit', `space: there are ${limits.spaces} spaces, which is the most`);
    }
    const id = this.#spaces.size + 1;
    this.run('INSERT INTO spaces (id, name) VALUES (?, ?)', id, name);
    this.#spaces.set(name, id);
    return id;
  }

  takeNumber(): number {
    return this.#numbers.take();
  }

  lastNumber(): number {
    return this.#numbers.last;
  }

  takeEventNumber(): number {
    return this.#eventNumbers.take();
  }

  lastEventNumber(): number {
    return this.#eventNumbers.last;
  }

  entry(space: string, id: number, now: number): Entry | null {
    const row = this.get<Row>(
      `SELECT ${rowColumns} FROM entries WHERE id = ? AND space = ? AND (expires IS NULL OR expires > ?)`,
      ...[id, this.#spaces.get(space) ?? 0, now],
    );
    return row ? toEntry(row, JSON.parse(row.body) as Tuple) : null;
  }

  remove(space: string, id: number, now: number): boolean {
    const removed = this.get<Placed>(
      'DELETE FROM entries WHERE id = ? AND space = ? AND (expires IS NULL OR expires > ?) RETURNING space, position',
      ...[id, this.#spaces.get(space) ?? 0, now],
    );
    this.#removed(removed ? [removed] : []);
    return removed !== undefined;
  }

  renew(space: string, id: number, expires: number, now: number): boolean {
    const changed = this.run(
      'UPDATE entries SET expires = ? WHERE id = ? AND space = ? AND (expires IS NULL OR expires > ?)',
      ...[expires, id, this.#spaces.get(space) ?? 0, now],
    );
    return changed > 0;
  }

  ripen(now: number, limit: number): { space: string; entry: Entry }[] {
    const due = this.all<Row & { space: string }>(
      `SELECT ${rowColumns.replace('id,', 'e.id,')}, s.name AS space FROM entries e JOIN spaces s ON s.id = e.space
       WHERE visible <= ? AND (expires IS NULL OR expires > ?) ORDER BY visible, e.id ${boundLimit}`,
      ...[now, now, limit],
    );
    return due.map(({ space, ...row }) => {
      const position = this.takeNumber();
      this.#resize(this.#spaces.get(space) as number, 1);
      this.run('UPDATE entries SET position = ?, visible = NULL WHERE id = ?', position, row.id);
      return { space, entry: toEntry({ ...row, position }, JSON.parse(row.body) as Tuple) };
    });
  }

  sweep(now: number, limit: number, wanted: (space: string) => boolean): Swept {
    const swept = this.all<Row & Placed>(
      `DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE expires <= ? ${boundLimit}) RETURNING space, ${rowColumns}`,
      ...[now, limit],
    );
    this.#removed(swept);
    const forgotten = this.run(
      `DELETE FROM answers WHERE key IN (SELECT key FROM answers WHERE expires <= ? ${boundLimit})`,
      ...[now, limit],
    );
    const entries = swept.flatMap(({ space: id, ...row }) => {
      const space = this.#spaceName(id);
      if (row.position === null || !wanted(space)) return [];
      return [{ space, entry: toEntry(row, JSON.parse(row.body) as Tuple) }];
    });
    return { entries, count: swept.length + forgotten };
  }

  #spaceName(id: number): string {
    for (const [name, number] of this.#spaces) if (number === id) return name;
    throw new Error(`there is no space ${id}`);
  }

  nextDue(): number | null {
    const next = this.get<{ due: number | null }>(
      `SELECT min(due) AS due FROM (SELECT min(visible) AS due FROM entries WHERE visible IS NOT NULL
       UNION ALL SELECT min(expires) FROM entries WHERE expires IS NOT NULL UNION ALL SELECT min(expires) FROM answers)`,
    );
    return next?.due ?? null;
  }

  recorded(key: string, now: number): RecordedAnswer | null {
    const row = this.get<{ fingerprint: string; answer: string }>(
      'SELECT fingerprint, answer FROM answers WHERE key = ? AND expires > ?',
      key,
      now,
    );
    return row ? { fingerprint: row.fingerprint, answer: JSON.parse(row.answer) as Json } : null;
  }

  record(key: string, { fingerprint, answer }: RecordedAnswer, expires: number): void {
    this.run(
      'INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)',
      key,
      fingerprint,
      JSON.stringify(answer),
      expires,
    );
  }

  size(space: string): number {
    return this.#counted().get(this.#spaces.get(space) ?? 0) ?? 0;
  }

  spaces(): { space: string; tuples: number }[] {
    const sizes = this.#counted();
    return [...this.#spaces].sort().map(([space, id]) => ({ space, tuples: sizes.get(id) ?? 0 }));
  }

  #counted(): Map<number, number> {
    this.#sizes ??= new Map(
      this.all<{ space: number; count: number }>(
        'SELECT space, count(*) AS count FROM entries WHERE position IS NOT NULL GROUP BY space',
      ).map(({ space, count }) => [space, count]),
    );
    return this.#sizes;
  }

  #removed(entries: readonly Placed[]): void {
    for (const { space, position } of entries) if (position !== null) this.#resize(space, -1);
  }

  #resize(space: number, by: number): void {
    this.#sizes?.set(space, (this.#sizes.get(space) ?? 0) + by);
  }
}

/** Numbers from a block that was reserved in a commit before any of them is seen. */
class Sequence {
  readonly #store: SqliteStore;
  readonly #name: string;
  #next: number;
  #reserved: number;

  constructor(store: SqliteStore, name: string) {
    const row = store.get<{ reserved: number }>('SELECT reserved FROM sequences WHERE name = ?', name);
    if (!row) throw new Error(`there is no sequence ${name}`);
    this.#store = store;
    this.#name = name;
    this.#reserved = row.reserved;
    this.#next = row.reserved;
  }

  get last(): number {
    return this.#next - 1;
  }

  take(): number {
    if (this.#next >= this.#reserved) {
      this.#reserved = this.#next + reservedAtOnce;
      this.#store.run('UPDATE sequences SET reserved = ? WHERE name = ?', this.#reserved, this.#name);
    }
    return this.#next++;
  }
}
