import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Line, linesOf } from '../../client/cli/lines.js';
import { putLines, type Tally } from '../../client/cli/put-lines.js';
import { Interrupted, Unfinished, UsageError } from '../../client/cli/status.js';
import { TupletError } from '../../client/node.js';
import type { Tuple } from '../../shared/tuple.js';

const collect = async (...chunks: (string | Uint8Array)[]): Promise<Line[]> => {
  const lines: Line[] = [];
  for await (const line of linesOf(Readable.from(chunks.map(chunk => Buffer.from(chunk))))) lines.push(line);
  return lines;
};

describe('lines', () => {
  test('are cut wherever the chunks end, in the middle of a character too', async () => {
    const bytes = Buffer.from('["é"]\n\r\n["𝒳"]\n["end"]');
    const whole = await collect(bytes);
    expect(whole.map(({ text }) => text)).toEqual(['["é"]\n', '\r\n', '["𝒳"]\n', '["end"]']);
    expect(whole.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect(whole.at(-1)?.end).toBe(bytes.length);
    expect(await collect(...[...bytes].map(byte => Uint8Array.of(byte)))).toEqual(whole);
  });

  test('of nothing are none', async () => {
    expect(await collect()).toEqual([]);
    expect(await collect('["a"]\n')).toHaveLength(1);
  });

  test('that are not UTF-8 have a number', async () => {
    await expect(collect('["a"]\n', Uint8Array.of(0x22, 0xff, 0x22, 0x0a))).rejects.toThrow(
      'line 2: is not UTF-8',
    );
  });

  test('without end are refused before they fill the memory', async () => {
    let chunks = 0;
    const source = Readable.from(
      (function* () {
        for (; chunks < 1_000; chunks++) yield Buffer.alloc(65_536, 'x');
      })(),
    );
    const read = async () => {
      for await (const _ of linesOf(source));
    };
    await expect(read()).rejects.toThrow(UsageError);
    expect(chunks).toBeLessThan(100);
  });
});

const source = (...lines: string[]) => Readable.from([Buffer.from(lines.map(line => `${line}\n`).join(''))]);
const numbered = (count: number) => Array.from({ length: count }, (_, at) => `["n", ${at}]`);
const never = new AbortController().signal;

describe('putting lines', () => {
  test('all tuples come in the order of their lines, blank ones are skipped', async () => {
    const batches: (readonly Tuple[])[] = [];
    const tallies: Tally[] = [];
    const put = await putLines(
      source(...numbered(1_500), '', '  ', ...numbered(1_000)),
      async tuples => void batches.push(tuples),
      { signal: never, onPut: tally => tallies.push(tally) },
    );
    expect(put).toBe(2_500);
    expect(batches.flat()).toEqual([...numbered(1_500), ...numbered(1_000)].map(text => JSON.parse(text)));
    expect(batches.length).toBeGreaterThan(1);
    expect(tallies.at(-1)?.tuples).toBe(2_500);
  });

  test('large tuples go in small batches', async () => {
    const sizes: number[] = [];
    const line = JSON.stringify(['x'.repeat(100_000)]);
    const put = async (tuples: readonly Tuple[]) => void sizes.push(tuples.length);
    await putLines(source(...Array.from({ length: 10 }, () => line)), put, {
      signal: never,
      onPut: () => {},
    });
    expect(Math.max(...sizes)).toBeLessThan(5);
  });

  test.each([
    ['["n", oops]', 'line 2001: "oops"'],
    ['["n"', 'line 2001: a comma or ]'],
    ['{"n": 1}', 'line 2001: a tuple is an array'],
    ['[]', 'line 2001: a tuple has 1 to 64'],
    ['[1, {"__proto__": 2}]', 'line 2001[1]: the key __proto__'],
    ['[9007199254740993]', 'line 2001[0]: this number'],
    [`["${'x'.repeat(300_000)}"]`, 'line 2001: 300004 bytes'],
  ])('a bad line ends it; what stands before it is put, and nothing after: %.20s', async (bad, message) => {
    let put = 0;
    const ended = putLines(
      source(...numbered(2_000), bad, ...numbered(3_000)),
      async tuples => {
        await turn();
        put += tuples.length;
      },
      { signal: never, onPut: () => {} },
    );
    const error = await ended.catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(Unfinished);
    expect((error as Error).message).toBe('2000 tuples are put');
    expect(((error as Error).cause as Error).message).toContain(message);
    expect(put).toBe(2_000);
  });

  test('no more is read than a few batches of what waits for the server', async () => {
    let read = 0;
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.from(`["n", ${read++}]\n`);
      })(),
    );
    let waiting = 0;
    let answer = () => {};
    const slow = new Promise<void>(resolve => {
      answer = resolve;
    });
    const interruption = new AbortController();
    const put = () => {
      waiting++;
      return slow;
    };
    const ended = putLines(endless, put, { signal: interruption.signal, onPut: () => {} });
    for (let seen = -1; seen !== read; ) {
      seen = read;
      for (let turns = 0; turns < 100; turns++) await turn();
    }
    expect(waiting).toBe(4);
    expect(read).toBeLessThan(6_000);
    interruption.abort(new Interrupted('SIGINT'));
    answer();
    await expect(ended).rejects.toMatchObject({ cause: { signal: 'SIGINT' } });
  });

  test('a server that fails ends it, even while nothing more comes in', async () => {
    const silent = new Readable({ read() {} });
    silent.push(`${numbered(1_000).join('\n')}\n`);
    const put = () => Promise.reject(new TupletError('lost', 'gone', { outcome: 'unknown' }));
    const error = await putLines(silent, put, { signal: never, onPut: () => {} }).catch(
      (fault: unknown) => fault,
    );
    expect(error).toMatchObject({ cause: { code: 'lost' } });
    expect((error as Error).message).toBe('0 tuples are put; whether 1000 more are is not known');
  });
});
