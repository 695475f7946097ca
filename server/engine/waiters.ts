/**
 * Who waits for what. A new tuple serves every matching reader, then the matching taker that has waited longest.
 *
 * Waiters are found by what they wait for: each template is filed under one exact value that it asks for, at a path inside the tuple
 * (`0`, or `2.kind` in a formal), the one with the fewest others at the time. A tuple looks up its own values at the paths in use, so that
 * what waits for other values costs it nothing. Waiters with equal templates form a group, which is tried once.
 */
import { canonicalJson, isObject, type Json } from '../../shared/json.js';
import { matches, type Pattern, type Shape, type Template } from '../../shared/template.js';
import type { Tuple } from '../../shared/tuple.js';

export interface Waiter {
  /** Grows with the age of requests: the lower goes first. */
  readonly turn: number;
  readonly template: Template;
  readonly takes: boolean;
}

interface Group<W> {
  readonly template: Template;
  readonly readers: Set<W>;
  /** The oldest first. */
  takers: Set<W>;
  /** The turn of the last taker that came. */
  youngest: number;
}

/** Groups by the text of their template. */
type Bucket<W> = Map<string, Group<W>>;

interface Path<W> {
  readonly steps: readonly (string | number)[];
  readonly buckets: Map<string, Bucket<W>>;
}

/** Values at a path, one of which a matching tuple must have. */
interface Anchor {
  readonly steps: readonly (string | number)[];
  readonly values: readonly Json[];
}

interface Space<W> {
  readonly paths: Map<string, Path<W>>;
  count: number;
}

/** Templates without an exact value are filed under the path of no steps, whose one value this is. */
const wild: Anchor = { steps: [], values: [null] };

export class Waiters<W extends Waiter> {
  readonly #spaces = new Map<string, Space<W>>();
  /** Where a waiter is filed, for its removal. */
  readonly #files = new Map<
    W,
    { readonly space: string; readonly places: readonly (readonly [string, string])[] }
  >();

  get size(): number {
    return this.#files.size;
  }

  /** Waiters in one space. */
  count(space: string): number {
    return this.#spaces.get(space)?.count ?? 0;
  }

  all(): IterableIterator<W> {
    return this.#files.keys();
  }

  add(name: string, waiter: W): void {
    const space = this.#spaces.get(name) ?? { paths: new Map(), count: 0 };
    this.#spaces.set(name, space);
    const places = waiter.template.shapes.flatMap(shape => file(space, leastCrowded(space, shape), waiter));
    space.count++;
    this.#files.set(waiter, { space: name, places });
  }

  /** Tells whether it was still waiting. */
  remove(waiter: W): boolean {
    const filed = this.#files.get(waiter);
    if (!filed) return false;
    this.#files.delete(waiter);
    const space = this.#spaces.get(filed.space) as Space<W>;
    for (const place of filed.places) unfile(space, place, waiter);
    if (--space.count === 0) this.#spaces.delete(filed.space);
    return true;
  }

  /** Whether anybody waits for such a tuple. */
  wants(name: string, tuple: Tuple): boolean {
    const space = this.#spaces.get(name);
    if (!space) return false;
    for (const group of groupsFor(space, tuple)) if (matches(group.template, tuple)) return true;
    return false;
  }

  /** All readers that a tuple serves, and the taker that has waited longest. They go on waiting until they are removed. */
  waitingFor(name: string, tuple: Tuple): { readers: W[]; taker: W | undefined } {
    const space = this.#spaces.get(name);
    const readers = new Set<W>();
    let taker: W | undefined;
    for (const group of space ? groupsFor(space, tuple) : []) {
      if (!matches(group.template, tuple)) continue;
      for (const reader of group.readers) readers.add(reader);
      const [oldest] = group.takers;
      if (oldest && (!taker || oldest.turn < taker.turn)) taker = oldest;
    }
    return { readers: [...readers].sort((a, b) => a.turn - b.turn), taker };
  }
}

function* groupsFor<W>(space: Space<W>, tuple: Tuple): Generator<Group<W>> {
  for (const { steps, buckets } of space.paths.values()) {
    const value = steps.length === 0 ? null : valueAt(tuple, steps);
    const bucket = value === undefined ? undefined : buckets.get(valueKey(value));
    if (bucket) yield* bucket.values();
  }
}

function file<W extends Waiter>(space: Space<W>, { steps, values }: Anchor, waiter: W): [string, string][] {
  const pathKey = JSON.stringify(steps);
  const path = space.paths.get(pathKey) ?? { steps, buckets: new Map<string, Bucket<W>>() };
  space.paths.set(pathKey, path);
  return values.map(value => {
    const key = valueKey(value);
    const bucket = path.buckets.get(key) ?? new Map<string, Group<W>>();
    path.buckets.set(key, bucket);
    const { template } = waiter;
    const group = bucket.get(template.text) ?? {
      template,
      readers: new Set<W>(),
      takers: new Set<W>(),
      youngest: -1,
    };
    bucket.set(template.text, group);
    if (waiter.takes) lineUp(group, waiter);
    else group.readers.add(waiter);
    return [pathKey, key];
  });
}

/** Takers stand by age: one that looked for long before it waited may be older than those that wait already. */
function lineUp<W extends Waiter>(group: Group<W>, taker: W): void {
  group.takers.add(taker);
  if (taker.turn > group.youngest) group.youngest = taker.turn;
  else group.takers = new Set([...group.takers].sort((a, b) => a.turn - b.turn));
}

function unfile<W extends Waiter>(
  space: Space<W>,
  [pathKey, key]: readonly [string, string],
  waiter: W,
): void {
  const path = space.paths.get(pathKey);
  const bucket = path?.buckets.get(key);
  const group = bucket?.get(waiter.template.text);
  // Two shapes of one template may share a place: the second finds it gone.
  if (!path || !bucket || !group) return;
  (waiter.takes ? group.takers : group.readers).delete(waiter);
  if (group.readers.size + group.takers.size > 0) return;
  bucket.delete(waiter.template.text);
  if (bucket.size === 0) path.buckets.delete(key);
  if (path.buckets.size === 0) space.paths.delete(pathKey);
}

function leastCrowded<W>(space: Space<W>, shape: Shape): Anchor {
  let best: Anchor | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const anchor of shape.patterns.flatMap((pattern, field) => anchorsOf(pattern, [field]))) {
    const buckets = space.paths.get(JSON.stringify(anchor.steps))?.buckets;
    const crowd = Math.max(...anchor.values.map(value => buckets?.get(valueKey(value))?.size ?? 0));
    if (crowd < fewest) [best, fewest] = [anchor, crowd];
  }
  return best ?? wild;
}

/** The exact values that a pattern asks for, at any depth. */
function anchorsOf(pattern: Pattern, steps: readonly (string | number)[]): Anchor[] {
  switch (pattern.kind) {
    case 'literal':
      return [{ steps, values: [pattern.value] }];
    case 'oneOf':
      return [{ steps, values: pattern.values }];
    case 'has':
    case 'object':
      return pattern.members.flatMap(([key, member]) => anchorsOf(member, [...steps, key]));
    case 'array':
      return pattern.items.flatMap((item, index) => anchorsOf(item, [...steps, index]));
    default:
      return [];
  }
}

function valueAt(tuple: Tuple, steps: readonly (string | number)[]): Json | undefined {
  let value: Json | undefined = tuple;
  for (const step of steps) {
    if (typeof step === 'number') value = Array.isArray(value) ? value[step] : undefined;
    else value = isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  }
  return value;
}

/** Strings are the most and need no encoding: the quote tells them from the texts of other values. */
const valueKey = (value: Json): string => (typeof value === 'string' ? `"${value}` : canonicalJson(value));
