/**
 * What a kill may have done to the tuples, and what it may not. Pure: from what stood there before a round, the calls of the round and
 * what stands there after it, to the rules that were broken.
 *
 * - phantom: a tuple was seen that nobody put, that was put in vain, or that was gone at the end of an earlier round.
 * - twice: a tuple was seen in two answers, or in an answer and afterwards in the space.
 * - lost: a tuple whose put was acknowledged is in no answer and not in the space. One such tuple for each take whose answer the crash may have
 *   cut off is as it should be, but only where that take could have found it. In the lane that rests in a round there are no takes, so
 *   there every single acknowledged tuple is accounted for.
 * - position: a position or id changed, was given twice, or did not grow from one put to the next that began after its answer.
 *
 * A round begins with what the last one left, so that the rules hold over all rounds if they hold in each.
 */

/** `['item', client, seq, lane]`: no two are the same. A take asks for one lane. */
export type Item = readonly ['item', client: number, seq: number, lane: number];

export const lanes = 4;

export interface Sighting {
  readonly item: Item;
  /** Not every answer has them. */
  readonly id?: number;
  readonly position?: number;
}

interface Timed {
  /** On one clock for all clients. */
  readonly started: number;
  readonly ended: number;
  /** `none`: the call failed and did nothing; `unknown`: it was cut off. */
  readonly outcome: 'done' | 'none' | 'unknown';
}

export interface Put extends Timed {
  readonly op: 'put';
  readonly made: readonly Sighting[];
}

export interface Take extends Timed {
  readonly op: 'take';
  readonly lane: number;
  /** Most tuples that it may remove. */
  readonly most: number;
  readonly took: readonly Sighting[];
}

export type Call = Put | Take;

export interface Standing {
  readonly items: readonly Sighting[];
  /** The highest position seen so far. */
  readonly highest: number;
}

export interface Violation {
  readonly rule: 'phantom' | 'twice' | 'lost' | 'position';
  readonly message: string;
}

/** Counts of tuples, save `unknownTakes`. */
export interface Tally {
  readonly puts: number;
  readonly takes: number;
  readonly unknownPuts: number;
  readonly unknownTakes: number;
  readonly cutOff: number;
}

export interface Verdict {
  readonly standing: Standing;
  readonly tally: Tally;
  readonly violations: readonly Violation[];
}

/** What is known of one item. `put` is undefined for those that an earlier round left. */
interface Known {
  readonly item: Item;
  readonly put: Put | undefined;
  id: number | undefined;
  position: number | undefined;
  seen: 'an answer' | 'the space' | undefined;
}

export const emptyStanding: Standing = { items: [], highest: 0 };

const keyOf = (item: Item): string => JSON.stringify(item);

export function checkRound(before: Standing, calls: readonly Call[], after: readonly Sighting[]): Verdict {
  const puts = calls.filter(call => call.op === 'put');
  const takes = calls.filter(call => call.op === 'take');
  const violations: Violation[] = [];
  const known = new Map<string, Known>();
  for (const one of before.items) known.set(keyOf(one.item), knownFrom(one, undefined));
  for (const put of puts) for (const one of put.made) known.set(keyOf(one.item), knownFrom(one, put));

  const see = (one: Sighting, where: 'an answer' | 'the space') =>
    void violations.push(...sight(known.get(keyOf(one.item)), one, where));
  for (const take of takes) for (const one of take.took) see(one, 'an answer');
  for (const one of after) see(one, 'the space');

  const missing = missingByLane(known);
  violations.push(...tooManyMissing(missing, takes));
  violations.push(...sharedPositions(known), ...shrinkingPositions(before, puts, known));
  const positions = [...known.values()].map(({ position }) => position ?? 0);
  return {
    standing: { items: after, highest: positions.reduce((a, b) => Math.max(a, b), before.highest) },
    tally: {
      puts: sum(puts.map(put => (put.outcome === 'done' ? put.made.length : 0))),
      takes: sum(takes.map(take => take.took.length)),
      unknownPuts: sum(puts.map(put => (put.outcome === 'unknown' ? put.made.length : 0))),
      unknownTakes: takes.filter(take => take.outcome === 'unknown').length,
      cutOff: sum([...missing.values()].map(items => items.length)),
    },
    violations,
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const knownFrom = ({ item, id, position }: Sighting, put: Put | undefined): Known => ({
  item,
  put,
  id,
  position,
  seen: undefined,
});

/** Notes that an item was seen, and what is wrong with that. */
function sight(
  known: Known | undefined,
  { item, id, position }: Sighting,
  where: 'an answer' | 'the space',
): Violation[] {
  const name = keyOf(item);
  if (!known) return [{ rule: 'phantom', message: `${name} is in ${where}: nobody put it, or it was gone` }];
  if (known.put?.outcome === 'none') {
    return [{ rule: 'phantom', message: `${name} is in ${where}, but its put was answered as not done` }];
  }
  const found: Violation[] = [];
  if (known.seen) found.push({ rule: 'twice', message: `${name} is in ${known.seen} and in ${where}` });
  for (const [what, was, is] of [
    ['id', known.id, id],
    ['position', known.position, position],
  ] as const) {
    if (was !== undefined && is !== undefined && was !== is) {
      found.push({ rule: 'position', message: `${name} had ${what} ${was} and has ${is}` });
    }
  }
  known.seen = where;
  known.id ??= id;
  known.position ??= position;
  return found;
}

/** Items that must be somewhere and are nowhere. All or none: one tuple of a put that was seen proves the others. */
function missingByLane(known: ReadonlyMap<string, Known>): Map<number, Item[]> {
  const proved = new Set([...known.values()].filter(one => one.seen).map(one => one.put));
  const missing = new Map<number, Item[]>();
  for (const { item, put, seen } of known.values()) {
    if (seen || (put && put.outcome !== 'done' && !proved.has(put))) continue;
    const [, , , lane] = item;
    missing.set(lane, [...(missing.get(lane) ?? []), item]);
  }
  return missing;
}

function tooManyMissing(missing: ReadonlyMap<number, readonly Item[]>, takes: readonly Take[]): Violation[] {
  return [...missing].flatMap(([lane, items]) => {
    const cut = takes.filter(take => take.outcome === 'unknown' && take.lane === lane);
    const most = sum(cut.map(take => take.most));
    if (items.length <= most) return [];
    const some = items.slice(0, 5).map(keyOf).join(' ');
    const message = `${items.length} acknowledged tuples of lane ${lane} are gone, cut off takes explain ${most}: ${some}`;
    return [{ rule: 'lost', message }];
  });
}

function sharedPositions(known: ReadonlyMap<string, Known>): Violation[] {
  const violations: Violation[] = [];
  for (const what of ['id', 'position'] as const) {
    const owners = new Map<number, Item>();
    for (const { item, [what]: number } of known.values()) {
      if (number === undefined) continue;
      const owner = owners.get(number);
      if (owner) {
        violations.push({
          rule: 'position',
          message: `${keyOf(owner)} and ${keyOf(item)} share ${what} ${number}`,
        });
      }
      owners.set(number, item);
    }
  }
  return violations;
}

/** A put that began after another was answered has the higher positions, and all have higher ones than any earlier round. */
function shrinkingPositions(
  before: Standing,
  puts: readonly Put[],
  known: ReadonlyMap<string, Known>,
): Violation[] {
  const placed = puts.flatMap(put => {
    const positions = put.made.flatMap(({ item }) => known.get(keyOf(item))?.position ?? []);
    return positions.length === 0
      ? []
      : [{ put, lowest: Math.min(...positions), highest: Math.max(...positions) }];
  });
  const byEnd = placed.filter(({ put }) => put.outcome === 'done').sort((a, b) => a.put.ended - b.put.ended);
  const byStart = [...placed].sort((a, b) => a.put.started - b.put.started);
  const violations: Violation[] = [];
  let floor = before.highest;
  let next = 0;
  for (const { put, lowest } of byStart) {
    for (let one = byEnd[next]; one && one.put.ended < put.started; one = byEnd[++next]) {
      floor = Math.max(floor, one.highest);
    }
    if (lowest > floor) continue;
    const name = keyOf((put.made[0] as Sighting).item);
    violations.push({ rule: 'position', message: `${name} has position ${lowest}, after one of ${floor}` });
  }
  return violations;
}
