/** Random histories, told to the engine and to the model on a page: every answer must be the same. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Op, parseRequest } from '../../shared/operations.js';
import { anyFieldOrder, anyTuple, templateFor } from '../support/arbitraries.js';
import { type Call, EngineWorld } from '../support/engine-world.js';
import { Model } from './model.js';

/** Requests of one batch, or something that happens between batches. */
type Deed =
  | { readonly asks: readonly { readonly op: Op; readonly space: string; readonly values: object }[] }
  | { readonly advance: number }
  | { readonly abandon: number };

const space = fc.constantFrom('s', 's', 's', 't');
const sometimes = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const ms = fc.constantFrom(1, 2, 5, 10, 40);
const id = fc.integer({ min: 1, max: 40 });

function asksFor(tuples: readonly (readonly unknown[])[]) {
  const template = templateFor(tuples as never);
  const order = fc.oneof(fc.constantFrom('oldest', 'newest'), anyFieldOrder);
  const tuple = fc.constantFrom(...tuples);
  const kinds: [weight: number, op: Op, values: fc.Arbitrary<object>][] = [
    [6, 'out', fc.record({ tuple, ttl: sometimes(ms), delay: sometimes(ms), unless: sometimes(template) })],
    [3, 'out', fc.record({ tuple })],
    [
      3,
      'outMany',
      fc.record({
        tuples: fc.array(tuple, { minLength: 1, maxLength: 5 }),
        ttl: sometimes(ms),
        delay: sometimes(ms),
      }),
    ],
    ...(['in', 'rd', 'take', 'read'] as const).map(op => {
      const values = fc.record({
        template,
        order: sometimes(order),
        timeout: sometimes(fc.constantFrom(0, 1, 5, 20)),
      });
      return [3, op, values] as [number, Op, fc.Arbitrary<object>];
    }),
    [3, 'takeMany', fc.record({ template, limit: fc.integer({ min: 1, max: 4 }), timeout: sometimes(ms) })],
    [1, 'scan', fc.record({ template, limit: fc.integer({ min: 1, max: 9 }), after: sometimes(fc.nat(20)) })],
    [1, 'count', fc.record({ template })],
    [2, 'renew', fc.record({ id, ttl: ms })],
    [2, 'cancel', fc.record({ id })],
    [1, 'space', fc.constant({})],
  ];
  return fc.oneof(
    ...kinds.map(([weight, op, values]) => ({
      weight,
      arbitrary: fc.record({ op: fc.constant(op), space, values: values.map(defined) }),
    })),
  );
}

/** Without the keys that were left out. */
const defined = (values: object): object =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

const anyHistory: fc.Arbitrary<Deed[]> = fc
  .array(anyTuple, { minLength: 3, maxLength: 8, size: 'max' })
  .chain(tuples =>
    fc.array<Deed>(
      fc.oneof(
        {
          weight: 8,
          arbitrary: fc.record({ asks: fc.array(asksFor(tuples), { minLength: 1, maxLength: 4 }) }),
        },
        { weight: 3, arbitrary: fc.record({ advance: fc.constantFrom(0, 1, 2, 5, 10, 40) }) },
        { weight: 1, arbitrary: fc.record({ abandon: fc.nat(10) }) },
      ),
      { minLength: 10, maxLength: 40, size: 'max' },
    ),
  );

test('the engine answers as the model does', async () => {
  const told = new Map<string, number>();
  const property = fc.asyncProperty(anyHistory, async history => {
    await using world = new EngineWorld();
    const model = new Model(world.clock.now(), world.clock.wall() - world.clock.now());
    const calls: Call<unknown>[] = [];
    const answered = new Set<number>();
    await world.turns.idle();
    for (const deed of history) {
      if ('advance' in deed) {
        model.advance(deed.advance);
        await world.advance(deed.advance);
      } else if ('abandon' in deed) {
        const open = [...calls.keys()].filter(turn => calls[turn]?.open);
        const turn = open[deed.abandon % Math.max(open.length, 1)];
        if (turn === undefined) continue;
        calls[turn]?.abandon();
        model.abandon(turn);
        await world.turns.idle();
      } else {
        const first = calls.length;
        for (const { op, space, values } of deed.asks) calls.push(world.ask(op, space, values));
        model.batch(
          deed.asks.map(({ op, space, values }, at) => [first + at, parseRequest(op, space, values)]),
        );
        await world.turns.idle();
      }
      for (const [turn, call] of calls.entries()) {
        if (answered.has(turn)) continue;
        expect(textOf(call)).toBe(textOfModel(model, turn));
        if (!call.open) answered.add(turn);
      }
    }
    expect(world.faults).toEqual([]);
    for (const call of calls) {
      expect(call.answers.length).toBeLessThanOrEqual(1);
      const state = call.state === 'ok' && call.value === null ? 'null' : call.state;
      told.set(state, (told.get(state) ?? 0) + 1);
    }
  });
  await fc.assert(property, { numRuns: 200, interruptAfterTimeLimit: 15_000 });
  for (const state of ['ok', 'open', 'aborted', 'not_found', 'null'])
    expect(told.get(state)).toBeGreaterThan(10);
});

/** The numbers of events have a test of their own. */
const asText = (answer: unknown): string =>
  JSON.stringify(answer, (key, value: unknown) => (key === 'event' ? undefined : value));

const textOf = ({ answers: [answer] }: Call<unknown>): string => {
  if (!answer) return 'open';
  return 'ok' in answer ? asText(answer.ok) : answer.error.code;
};

const textOfModel = ({ answers }: Model, turn: number): string => {
  const answer = answers.get(turn);
  if (!answer) return 'open';
  return 'ok' in answer ? asText(answer.ok) : answer.error;
};
