/**
 * What happens in the spaces that somebody watches, in the order of commits.
 * - Events have growing numbers of their own: after a restart they go on higher.
 * - A space has a log from the first `watch` or `scan` on until `eventsKeptMs` after the last: so nothing slips between a scan and the watch
 *   that follows it, and a space that nobody watches costs nothing.
 * - A log keeps a bounded window. Whoever wants to go on from before it is told `truncated`, and goes on from now.
 * - A watcher pulls: it reads on from its own place as long as its sink is ready. One that cannot keep up holds nothing but its place.
 */
import type { Clock } from '../../shared/clock.js';
import { limits } from '../../shared/limits.js';
import type { Entry, EventType, SpaceEvent, Truncated, WatchEvent } from '../../shared/operations.js';
import { matches, type Template } from '../../shared/template.js';
import type { Deadlines } from './deadlines.js';

export interface WatchSink {
  /** Whether it can take more now. */
  readonly ready: boolean;
  send(events: readonly WatchEvent[]): void;
}

export interface Watch {
  readonly space: string;
  readonly template: Template;
  /** Events behind this number. */
  readonly after: number;
}

/** How soon a watcher that was behind is looked after again. */
const retryMs = 50;
const eventsAtOnce = 256;

interface Log {
  /** In the order of their numbers. */
  events: SpaceEvent[];
  bytes: number;
  /** Everything behind this number is in `events`. */
  since: number;
  readonly watchers: Set<Watcher>;
  callOff: (() => void) | undefined;
}

export class EventLog {
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #logs = new Map<string, Log>();
  /** Events of the batch that is under way. */
  #pending: { readonly space: string; readonly event: SpaceEvent }[] = [];

  constructor(clock: Clock, deadlines: Deadlines) {
    this.#clock = clock;
    this.#deadlines = deadlines;
  }

  /** Whether events of a space are wanted. */
  keeps(space: string): boolean {
    return this.#logs.has(space);
  }

  /** Watchers of a space. */
  count(space: string): number {
    return this.#logs.get(space)?.watchers.size ?? 0;
  }

  /** Keeps the events of a space from now on: `last` is the last number given. */
  retain(space: string, last: number): void {
    const log = this.#logs.get(space) ?? {
      ...{ events: [], bytes: 0, since: last, watchers: new Set<Watcher>(), callOff: undefined },
    };
    this.#logs.set(space, log);
    this.#forgetLater(space, log);
  }

  #forgetLater(space: string, log: Log): void {
    log.callOff?.();
    log.callOff = this.#deadlines.at(this.#clock.now() + limits.eventsKeptMs, () => {
      if (log.watchers.size === 0) this.#logs.delete(space);
    });
  }

  /** Notes an event of the batch under way. */
  note(space: string, event: number, type: EventType, entry: Entry): void {
    this.#pending.push({ space, event: { event, type, entry } });
  }

  /** The batch is durable: its events are shown. */
  publish(): void {
    if (this.#pending.length === 0) return;
    const touched = new Set<Log>();
    for (const { space, event } of this.#pending) {
      const log = this.#logs.get(space);
      if (!log) continue;
      append(log, event);
      touched.add(log);
    }
    this.#pending = [];
    for (const log of touched) for (const watcher of log.watchers) watcher.pump();
  }

  /** Begins to show events to a sink. Returns a function that ends it. */
  watch({ space, template, after }: Watch, sink: WatchSink): () => void {
    const log = this.#logs.get(space);
    if (!log) throw new Error('a space is retained before it is watched');
    const watcher = new Watcher(log, template, after, sink, retry =>
      this.#deadlines.at(this.#clock.now() + retryMs, retry),
    );
    log.watchers.add(watcher);
    watcher.pump();
    return () => {
      watcher.end();
      log.watchers.delete(watcher);
      this.#forgetLater(space, log);
    };
  }
}

function append(log: Log, event: SpaceEvent): void {
  log.events.push(event);
  log.bytes += roughBytes(event.entry.tuple);
  if (log.events.length <= limits.eventsKept && log.bytes <= limits.eventsKeptBytes) return;
  // Half goes at once, so that the cost of moving the rest is shared by many events.
  const dropped = log.events.splice(0, Math.ceil(log.events.length / 2));
  for (const { entry } of dropped) log.bytes -= roughBytes(entry.tuple);
  log.since = dropped.at(-1)?.event ?? log.since;
}

/** About what a value takes: near enough for a bound, and cheaper than its text. */
function roughBytes(value: unknown): number {
  if (typeof value === 'string') return 16 + 2 * value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 32;
  for (const key in value) bytes += 16 + roughBytes((value as Record<string, unknown>)[key]);
  return bytes;
}

class Watcher {
  readonly #log: Log;
  readonly #template: Template;
  readonly #sink: WatchSink;
  readonly #later: (retry: () => void) => () => void;
  /** Number of the last event that it has seen, matching or not. */
  #seen: number;
  #callOff: (() => void) | undefined;

  constructor(
    log: Log,
    template: Template,
    after: number,
    sink: WatchSink,
    later: (retry: () => void) => () => void,
  ) {
    this.#log = log;
    this.#template = template;
    this.#seen = after;
    this.#sink = sink;
    this.#later = later;
  }

  /** Shows what there is, as long as the sink takes it. */
  pump(): void {
    if (this.#callOff) return;
    while (this.#sink.ready) {
      const events = this.#next();
      if (!events) return;
      if (events.length > 0) this.#sink.send(events);
    }
    this.#callOff = this.#later(() => {
      this.#callOff = undefined;
      this.pump();
    });
  }

  /** The next few events that match, none if these few do not, undefined at the end of the log. */
  #next(): readonly WatchEvent[] | undefined {
    const { events, since } = this.#log;
    if (this.#seen < since) {
      this.#seen = events.at(-1)?.event ?? since;
      const truncated: Truncated = { event: this.#seen, type: 'truncated', entry: null };
      return [truncated];
    }
    const from = firstAfter(events, this.#seen);
    if (from === events.length) return undefined;
    const few = events.slice(from, from + eventsAtOnce);
    this.#seen = few.at(-1)?.event ?? this.#seen;
    return few.filter(({ entry }) => matches(this.#template, entry.tuple));
  }

  end(): void {
    this.#callOff?.();
  }
}

/** Where the events behind a number begin. */
function firstAfter(events: readonly SpaceEvent[], number: number): number {
  let [low, high] = [0, events.length];
  // A watcher is mostly at the end.
  if (high === 0 || (events[high - 1] as SpaceEvent).event <= number) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((events[middle] as SpaceEvent).event > number) high = middle;
    else low = middle + 1;
  }
  return low;
}
