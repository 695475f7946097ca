/** What those who watch see: every change of a space, in order, once, with numbers that grow. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../shared/limits.js';
import type { WatchEvent } from '../../shared/operations.js';
import { parseTemplate } from '../../shared/template.js';
import { EngineWorld } from '../support/engine-world.js';

const everything = [{ $rest: true }];

/** Watches, and collects what it is shown while `sink.ready`. */
async function watching(world: EngineWorld, template: unknown = everything, after?: number) {
  const values = { template, ...(after !== undefined && { after }) };
  const seen: WatchEvent[] = [];
  const sink = { ready: true, send: (events: readonly WatchEvent[]) => void seen.push(...events) };
  const call = world.ask('watch', 's', values);
  await world.turns.idle();
  const { event } = call.value;
  const end = world.engine.watch({ space: 's', template: parseTemplate(template), after: event }, sink);
  return { seen, sink, end, types: () => seen.map(({ type, entry }) => [type, entry?.tuple]) };
}

describe('watch', () => {
  test('shows what comes, is taken, is cancelled, expires', async () => {
    await using world = new EngineWorld();
    const { seen, types } = await watching(world);
    await world.get('out', 's', { tuple: ['a'] });
    await world.get('take', 's', { template: ['a'] });
    const { id } = (await world.get('out', 's', { tuple: ['b'] })) as { id: number };
    await world.get('cancel', 's', { id });
    await world.get('out', 's', { tuple: ['c'], ttl: 100 });
    await world.advance(100);
    await world.get('out', 's', { tuple: ['d'], delay: 50 });
    expect(types().at(-1)).toEqual(['expired', ['c']]);
    await world.advance(50);
    expect(types()).toEqual([
      ['out', ['a']],
      ['taken', ['a']],
      ['out', ['b']],
      ['cancelled', ['b']],
      ['out', ['c']],
      ['expired', ['c']],
      ['out', ['d']],
    ]);
    const numbers = seen.map(({ event }) => event);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  });

  test('shows a tuple that goes from hand to hand, which is never stored', async () => {
    await using world = new EngineWorld();
    const { types } = await watching(world);
    world.ask('in', 's', { template: ['a'] });
    await world.turns.idle();
    await world.out('s', ['a']);
    expect(types()).toEqual([
      ['out', ['a']],
      ['taken', ['a']],
    ]);
  });

  test('shows only what matches, and only this space', async () => {
    await using world = new EngineWorld();
    const { types } = await watching(world, ['a', { $gt: 1 }]);
    await world.out('s', ['a', 1], ['a', 2], ['b', 2]);
    await world.out('t', ['a', 2]);
    expect(types()).toEqual([['out', ['a', 2]]]);
  });

  test('from the event of a scan on misses nothing', async () => {
    await using world = new EngineWorld();
    await world.out('s', ['before']);
    const { event } = await world.get('scan', 's', { template: everything });
    await world.out('s', ['between']);
    const { types } = await watching(world, everything, event);
    await world.out('s', ['after']);
    expect(types()).toEqual([
      ['out', ['between']],
      ['out', ['after']],
    ]);
  });

  test('goes on behind the last event seen, without a gap or a repeat', async () => {
    await using world = new EngineWorld();
    const first = await watching(world);
    await world.out('s', ['a'], ['b']);
    first.end();
    await world.out('s', ['c']);
    const second = await watching(world, everything, first.seen.at(-1)?.event);
    await world.out('s', ['d']);
    expect([...first.types(), ...second.types()].map(([, tuple]) => tuple)).toEqual([
      ['a'],
      ['b'],
      ['c'],
      ['d'],
    ]);
  });

  test('says truncated when the events from there on are no longer kept', async () => {
    await using world = new EngineWorld();
    const { event } = await world.get('scan', 's', { template: everything });
    await world.advance(limits.eventsKeptMs);
    await world.out('s', ['missed']);
    const { seen, types } = await watching(world, everything, event);
    await world.out('s', ['seen']);
    expect(types()).toEqual([
      ['truncated', undefined],
      ['out', ['seen']],
    ]);
    expect(seen[0]?.event).toBeGreaterThan(event);
  });

  test('refuses a number that no event has yet', async () => {
    await using world = new EngineWorld();
    const call = world.ask('watch', 's', { template: everything, after: 1_000_000 });
    await world.turns.idle();
    expect(call.state).toBe('invalid');
  });

  test('waits for a watcher that is behind, and truncates what it cannot keep', async () => {
    await using world = new EngineWorld();
    const slow = await watching(world);
    slow.sink.ready = false;
    await world.out('s', ['kept']);
    expect(slow.seen).toEqual([]);
    slow.sink.ready = true;
    await world.advance(100);
    expect(slow.types()).toEqual([['out', ['kept']]]);
    slow.sink.ready = false;
    const many = Array.from({ length: limits.eventsKept + 1 }, (_, n) => [n]);
    for (let at = 0; at < many.length; at += 1_000)
      await world.get('outMany', 's', { tuples: many.slice(at, at + 1_000) });
    slow.sink.ready = true;
    await world.advance(100);
    expect(slow.types().slice(1, 2)).toEqual([['truncated', undefined]]);
  });

  test('costs no numbers where nobody watches', async () => {
    await using world = new EngineWorld();
    await world.out('s', ['a'], ['b']);
    await world.get('takeMany', 's', { template: ['a'] });
    const { event } = await world.get('scan', 's', { template: everything });
    expect(event).toBe(1);
  });

  test('ends, and leaves nothing behind', async () => {
    await using world = new EngineWorld();
    const { seen, end } = await watching(world);
    expect(await world.get('space', 's')).toMatchObject({ watches: 1 });
    end();
    await world.out('s', ['a']);
    expect(seen).toEqual([]);
    expect(await world.get('space', 's')).toMatchObject({ watches: 0 });
  });

  test('replayed over a scan, the events give what there is (property)', async () => {
    const step = fc.record({
      op: fc.constantFrom('out', 'take', 'in', 'delayed', 'short', 'advance'),
      n: fc.integer({ min: 0, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(40), async (steps, scanAt) => {
        await using world = new EngineWorld();
        let watched: Awaited<ReturnType<typeof watching>> | undefined;
        const there = new Map<number, unknown>();
        for (const [at, { op, n }] of steps.entries()) {
          if (at === scanAt) {
            const { entries, event } = await world.get('scan', 's', { template: everything, limit: 1000 });
            for (const entry of entries) there.set(entry.id, entry.tuple);
            watched = await watching(world, everything, event);
          }
          if (op === 'out') world.ask('out', 's', { tuple: ['x', n] });
          else if (op === 'delayed') world.ask('out', 's', { tuple: ['x', n], delay: 10 * n });
          else if (op === 'short') world.ask('out', 's', { tuple: ['x', n], ttl: 10 * n + 1 });
          else if (op === 'take') world.ask('take', 's', { template: ['x', n] });
          else if (op === 'in') world.ask('in', 's', { template: ['x', n], timeout: 30 });
          else await world.advance(7 * n);
        }
        await world.advance(1_000);
        for (const { type, entry } of watched?.seen ?? []) {
          if (entry === null) continue;
          if (type === 'out') there.set(entry.id, entry.tuple);
          else there.delete(entry.id);
        }
        const sorted = (tuples: Iterable<unknown>) =>
          Array.from(tuples, tuple => JSON.stringify(tuple)).sort();
        if (watched) expect(sorted(there.values())).toEqual(sorted(await world.tuples('s')));
      }),
      { numRuns: 200 },
    );
  });
});
