/** That acknowledged words outlive kill -9 (real processes: only they can be killed), and that the check of it would notice if not. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type Call,
  checkRound,
  emptyStanding,
  type Item,
  type Put,
  type Sighting,
  type Take,
} from './check.js';
import { playRounds } from './rounds.js';

const item = (seq: number, lane = 1): Item => ['item', 0, seq, lane];
const at = (seq: number, lane?: number): Sighting => ({ item: item(seq, lane), id: seq, position: seq });

/** Calls, one after the other. */
let clock = 0;
const timed = (outcome: Call['outcome']) => ({ outcome, started: ++clock, ended: ++clock });
const put = (outcome: Call['outcome'], ...made: Sighting[]): Put => ({ op: 'put', ...timed(outcome), made });
const take = (outcome: Call['outcome'], ...took: Sighting[]): Take => {
  return { op: 'take', ...timed(outcome), lane: 1, most: 1, took };
};
const rulesBroken = (calls: Call[], after: Sighting[], before = emptyStanding) =>
  checkRound(before, calls, after).violations.map(({ rule }) => rule);

describe('the check', () => {
  test('finds nothing wrong with a faultless history', () => {
    const calls = [
      put('done', at(1)),
      put('done', at(2), at(3)),
      take('done', at(1)),
      put('unknown', { item: item(4) }),
    ];
    expect(rulesBroken(calls, [at(2), at(3)])).toEqual([]);
    expect(rulesBroken(calls, [at(2), at(3), at(4)])).toEqual([]);
    expect(checkRound(emptyStanding, calls, [at(2), at(3)]).tally).toEqual({
      puts: 3,
      takes: 1,
      unknownPuts: 1,
      unknownTakes: 0,
      cutOff: 0,
    });
  });

  test('misses an acknowledged tuple that is nowhere', () => {
    expect(rulesBroken([put('done', at(1)), put('done', at(2))], [at(2)])).toEqual(['lost']);
  });

  test('misses a tuple that an earlier round left', () => {
    expect(rulesBroken([], [at(1)], { items: [at(1), at(2)], highest: 2 })).toEqual(['lost']);
  });

  test('lets a take that was cut off explain one tuple, and no more', () => {
    const cut = take('unknown');
    const verdict = checkRound(emptyStanding, [put('done', at(1)), cut], []);
    expect([verdict.violations, verdict.tally.cutOff]).toEqual([[], 1]);
    expect(rulesBroken([put('done', at(1), at(2)), cut], [])).toEqual(['lost']);
  });

  test('lets a take that was cut off explain nothing where it did not look', () => {
    expect(rulesBroken([put('done', at(1, 2)), take('unknown')], [])).toEqual(['lost']);
  });

  test('does not let a failed take explain anything', () => {
    expect(rulesBroken([put('done', at(1)), take('none')], [])).toEqual(['lost']);
  });

  test('knows that a cut off put is done whole or not at all', () => {
    const calls = [put('unknown', { item: item(1) }, { item: item(2) })];
    expect(rulesBroken(calls, [])).toEqual([]);
    expect(rulesBroken(calls, [at(1)])).toEqual(['lost']);
  });

  test('sees a tuple in two answers', () => {
    expect(rulesBroken([put('done', at(1)), take('done', at(1)), take('done', at(1))], [])).toEqual([
      'twice',
    ]);
  });

  test('sees a tuple that was taken and is still there', () => {
    expect(rulesBroken([put('done', at(1)), take('done', at(1))], [at(1)])).toEqual(['twice']);
  });

  test('sees a tuple that nobody put', () => {
    expect(rulesBroken([], [at(1)])).toEqual(['phantom']);
    expect(rulesBroken([take('done', at(1))], [])).toEqual(['phantom']);
  });

  test('sees a tuple whose put was answered as not done', () => {
    expect(rulesBroken([put('none', { item: item(1) })], [at(1)])).toEqual(['phantom']);
  });

  test('sees a tuple come back that was gone at the end of a round', () => {
    const { standing } = checkRound(emptyStanding, [put('unknown', { item: item(1) })], []);
    expect(rulesBroken([], [at(1)], standing)).toEqual(['phantom']);
  });

  test('sees positions that change, are given twice or go back', () => {
    expect(rulesBroken([put('done', at(1))], [{ ...at(1), position: 2 }])).toEqual(['position']);
    const shared = { ...at(2), position: 1 };
    expect(rulesBroken([put('unknown', at(1)), put('unknown', shared)], [at(1), shared])).toEqual([
      'position',
    ]);
    expect(rulesBroken([put('done', at(2)), put('done', at(1))], [at(1), at(2)])).toEqual(['position']);
    expect(rulesBroken([put('done', at(1))], [at(1)], { items: [], highest: 5 })).toEqual(['position']);
  });
});

test('three rounds of kill -9 break no rule', async () => {
  const seed = Date.now() % 1_000_000;
  const directory = await mkdtemp(join(tmpdir(), 'tuplet-crash-'));
  try {
    const summary = await playRounds({ rounds: 3, seed, file: join(directory, 'crash.db') });
    expect(summary.violations, `seed ${seed}`).toEqual([]);
    expect(summary.puts).toBeGreaterThan(0);
    expect(summary.takes).toBeGreaterThan(0);
  } finally {
    await rm(directory, { recursive: true });
  }
});
