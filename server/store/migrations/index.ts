/** The migrations of the SQLite store in their order: the n-th brings a database from version n - 1 to n. Never change an old one. */
import { entries } from './001-entries.js';

export const migrations: readonly string[] = [entries];
