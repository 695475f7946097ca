/** What every kind of address must give: the same client over a socket, in memory, on a file. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { any, anyOf, type Client, gt, rest } from '../../client/node.js';

export function clientContract(name: string, connect: () => Promise<Client>): void {
  describe(`a client on ${name}`, () => {
    let client: Client;
    /** Spaces of this test alone: some addresses lead to the same server. */
    let own: (name: string) => ReturnType<Client['space']>;
    beforeEach(async () => {
      client = await connect();
      const run = Math.random().toString(36).slice(2);
      own = name => client.space(`${name}-${run}`);
    });
    afterEach(() => client.close());

    test('puts, reads, takes', async () => {
      const jobs = own('jobs');
      const { id, position } = await jobs.out(['job', 1, { to: 'a' }]);
      expect(position).toBeGreaterThan(0);
      expect(await jobs.read(['job', Number, any])).toEqual(['job', 1, { to: 'a' }]);
      expect(await jobs.take(['job', any, any], { entry: true })).toMatchObject({
        id,
        position,
        tuple: ['job', 1, { to: 'a' }],
      });
      expect(await jobs.take(['job', any, any])).toBeNull();
    });

    test('waits for what comes later', async () => {
      const jobs = own('jobs');
      const reading = jobs.rd(['late', Number]);
      const taking = jobs.in(anyOf(['late', gt(5)], ['later']));
      await jobs.out(['late', 7]);
      expect(await reading).toEqual(['late', 7]);
      expect(await taking).toEqual(['late', 7]);
    });

    test('a wait that ends by its timeout throws where the answer cannot be null', async () => {
      const jobs = own('jobs');
      await expect(jobs.in(['never'], { timeout: 10 })).rejects.toMatchObject({ code: 'timeout' });
      await expect(jobs.rd(['never'], { timeout: 0 })).rejects.toMatchObject({ code: 'timeout' });
      expect(await jobs.take(['never'], { timeout: 10 })).toBeNull();
      expect(await jobs.takeMany(['never'], { timeout: 10 })).toEqual([]);
    });

    test('many at once, all or none', async () => {
      const jobs = own('jobs');
      const ids = await jobs.outMany([
        ['m', 1],
        ['m', 2],
        ['m', 3],
      ]);
      expect(new Set(ids).size).toBe(3);
      await expect(
        jobs.outMany([
          ['m', 4],
          ['m', '\ud800'],
        ]),
      ).rejects.toMatchObject({ field: 'tuples[1][1]' });
      const large = Array.from({ length: 50 }, (_, n) => ['m', n, 'x'.repeat(100_000)] as const);
      await expect(jobs.outMany(large)).rejects.toMatchObject({ code: 'too_large', field: 'tuples' });
      expect(await jobs.count(['m', rest])).toBe(3);
      expect(await jobs.takeMany(['m', any], { limit: 2 })).toEqual([
        ['m', 1],
        ['m', 2],
      ]);
      expect(await jobs.takeMany(['m', any])).toEqual([['m', 3]]);
    });

    test('unless, ttl, delay, renew, cancel', async () => {
      const jobs = own('jobs');
      const first = await jobs.out(['once', 1], { unless: ['once', any], ttl: 60_000 });
      expect(await jobs.out(['once', 2], { unless: ['once', any] })).toEqual({
        created: false,
        existing: 'id' in first && first.id,
      });
      const { id, position } = await jobs.out(['later', 1], { delay: 60_000 });
      expect(position).toBeNull();
      expect(await jobs.read(['later', any])).toBeNull();
      expect(await jobs.renew(id, 1_000)).toBe(true);
      expect(await jobs.cancel(id)).toBe(true);
      expect(await jobs.cancel(id)).toBe(false);
    });

    test('scans page by page, or all at once', async () => {
      const jobs = own('scanned');
      await jobs.outMany(Array.from({ length: 250 }, (_, n) => ['n', n] as const));
      const page = await jobs.scan(['n', Number], { limit: 100 });
      expect(page.entries).toHaveLength(100);
      const numbers: number[] = [];
      for await (const { tuple } of jobs.scan(['n', Number])) numbers.push(tuple[1]);
      expect(numbers).toEqual(Array.from({ length: 250 }, (_, n) => n));
      expect(await jobs.take(['n', any], { order: { field: 1, dir: 'desc' } })).toEqual(['n', 249]);
    });

    test('watches from a scan on', async () => {
      const jobs = own('watched');
      await jobs.out(['a', 0]);
      const { event } = await jobs.scan(['a', Number]);
      await jobs.out(['a', 1]);
      const seen: unknown[] = [];
      for await (const { type, entry } of jobs.watch(['a', Number], { after: event })) {
        seen.push([type, entry?.tuple[1]]);
        if (seen.length === 1) await jobs.take(['a', 1]);
        if (seen.length === 2) break;
      }
      expect(seen).toEqual([
        ['out', 1],
        ['taken', 1],
      ]);
    });

    test('explains, counts and names spaces', async () => {
      const jobs = own('jobs');
      await jobs.out(['job', 1]);
      expect(await jobs.explain(['job', any])).toMatchObject({ index: 'leading_1', scan: false });
      expect(await jobs.state()).toMatchObject({ space: jobs.name, waiters: 0 });
      expect((await client.spaces()).map(({ space }) => space)).toContain(jobs.name);
    });

    test('an abort ends a wait and loses nothing', async () => {
      const jobs = own('jobs');
      const aborted = jobs.in(['x'], { signal: AbortSignal.timeout(5) });
      await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
      await jobs.out(['x']);
      expect(await jobs.take(['x'])).toEqual(['x']);
    });

    test('awkward values come back as they went', async () => {
      const values = [
        '',
        '\0',
        '😀',
        '\uffff',
        2 ** 53,
        1e308,
        5e-324,
        {},
        [],
        { $any: true },
        { a: { b: [null] } },
      ] as const;
      const odd = own('odd');
      for (const value of values) {
        await odd.out(['v', value]);
        expect(await odd.take(['v', value])).toEqual(['v', value]);
      }
    });

    test('a thousand calls at once', async () => {
      const jobs = own('busy');
      const taken = Array.from({ length: 500 }, () => jobs.in(['n', Number]));
      await Promise.all(Array.from({ length: 500 }, (_, n) => jobs.out(['n', n])));
      const numbers = (await Promise.all(taken)).map(([, n]) => n);
      expect(numbers).toEqual(Array.from({ length: 500 }, (_, n) => n));
    });

    test('tells when it is connected, to whoever listens as soon as it is there', async () => {
      await using other = await connect();
      await new Promise(heard => other.on('connected', heard));
    });

    test('is disposed of by `await using`', async () => {
      let kept: Client;
      {
        await using other = await connect();
        kept = other;
        expect(other.state).toBe('open');
      }
      expect(kept.state).toBe('closed');
    });
  });
}
