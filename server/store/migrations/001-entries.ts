/**
 * Entries, the sequences that number them and what happens to them, and recorded answers.
 * `k1` to `k4` are the index keys of the first fields; the indexes on them are made when a search first needs them (see sqlite.ts),
 * so that a program pays only for those that it uses. `position` is null while an entry waits for `visible`.
 */
export const entries = `
CREATE TABLE spaces (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE entries (
  id INTEGER PRIMARY KEY,
  space INTEGER NOT NULL,
  position INTEGER,
  body TEXT NOT NULL,
  k1 BLOB,
  k2 BLOB,
  k3 BLOB,
  k4 BLOB,
  created INTEGER NOT NULL,
  visible INTEGER,
  expires INTEGER,
  returns INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX hidden ON entries (space, k1, k2) WHERE position IS NULL;
CREATE INDEX delayed ON entries (visible) WHERE visible IS NOT NULL;
CREATE INDEX expiring ON entries (expires) WHERE expires IS NOT NULL;

-- Numbers below \`reserved\` may have been given; a crash skips what was left of the block.
CREATE TABLE sequences (name TEXT PRIMARY KEY, reserved INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO sequences VALUES ('entries', 1), ('events', 1);

CREATE TABLE answers (
  key TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  answer TEXT NOT NULL,
  expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_expiring ON answers (expires);
`;
