/** Every bound of tuplet, with its unit in its name. A server may be given smaller ones; docs/limits in docs/protocol.md lists them. */
export const limits = {
  /** Fields of a tuple, and patterns of a template. */
  fields: 64,
  /** A tuple or a template, encoded as JSON in UTF-8. */
  tupleBytes: 256 * 1024,
  /** Nesting of a tuple; the tuple itself is level 1. Formals get as much again. */
  tupleDepth: 32,
  spaceNameCharacters: 128,
  /** Spaces of one server. */
  spaces: 100_000,

  /** Templates in one `$anyOf`, patterns in one `$or`. */
  alternatives: 64,
  oneOfValues: 1_000,
  /** Patterns of one template, at all depths, with the values of `$oneOf`. */
  templatePatterns: 4_096,
  templateSchemas: 16,
  schemaBytes: 8 * 1024,
  schemasCompiled: 1_000,

  outManyTuples: 10_000,
  /** Less than a frame, so that it fits into one with what goes around it. */
  outManyBytes: 4 * 1024 * 1024 - 4096,
  takeManyTuples: 1_000,
  scanEntries: 1_000,

  /** The longest timeout, ttl or delay that may be asked for: a year. */
  durationMs: 366 * 24 * 3600 * 1000,
  restWaitMs: 300_000,
  restDefaultWaitMs: 30_000,
  idempotencyMs: 600_000,
  idempotencyKeyCharacters: 256,

  /** One frame of the wire, or one REST body. */
  frameBytes: 4 * 1024 * 1024,
  frameMessages: 10_000,
  frameFragments: 128,
  /** What may lie unsent in front of a peer that does not read, before it is closed. */
  unsentBytes: 64 * 1024 * 1024,
  /** Messages that a link keeps while no handler is attached. */
  linkBacklogMessages: 10_000,
  /** Events that a space keeps for those who watch it, and for how long after the last of them has gone. */
  eventsKept: 10_000,
  eventsKeptBytes: 16 * 1024 * 1024,
  eventsKeptMs: 60_000,
  /** Unsent bytes in front of a watcher, over which it waits. */
  watchUnsentBytes: 1024 * 1024,
  watchesPerConnection: 1_000,
  helloMs: 10_000,
  pingMs: 10_000,
  /** Silence after which a peer is taken for dead. */
  silenceMs: 25_000,
  drainMs: 10_000,

  connections: 20_000,
  requestsPerConnection: 20_000,
  waiters: 200_000,
  queuedRequests: 200_000,
  /** Requests that share one store transaction. */
  batchRequests: 1_024,
  /** Entries that one request may examine before it lets the next batch go first. */
  sliceEntries: 2_000,
  /** Entries that one batch may examine before the rest of its requests wait for the next. */
  batchEntries: 20_000,
  /** Tuples in one answer, as JSON text: a scan or takeMany ends with the entry that reaches it. */
  answerBytes: 4 * 1024 * 1024,
} as const;

/** The same names with other numbers, for servers that want less and for tests that want to see an edge. */
export type Limits = { readonly [K in keyof typeof limits]: number };
