/** A caller may give up at any moment: then it gets `aborted` and nothing was done, or it gets what was done. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Store } from '../../server/store/store.js';
import type { Answers } from '../../shared/operations.js';
import { matches, parseTemplate, type Template } from '../../shared/template.js';
import type { Tuple } from '../../shared/tuple.js';
import { type Call, EngineWorld } from '../support/engine-world.js';
import { Gate, interpose } from '../support/interposed-store.js';
import { withLimits } from '../support/limits.js';
import type { Turns } from '../support/turns.js';

const any = { $any: true };

describe('abandon', () => {
  test('while queued: it is never begun', async () => {
    await using world = new EngineWorld();
    await world.out('s', ['a']);
    const call = world.ask('take', 's', { template: ['a'] });
    call.abandon();
    expect(call.open).toBe(true);
    await world.turns.idle();
    expect(call.state).toBe('aborted');
    expect(await world.tuples('s')).toEqual([['a']]);
  });

  test('while waiting: it is served no more', async () => {
    await using world = new EngineWorld();
    const call = world.ask('in', 's', { template: ['a'], timeout: 50 });
    await world.turns.idle();
    call.abandon();
    call.abandon();
    expect(world.engine.waiting).toBe(0);
    await world.out('s', ['a']);
    await world.advance(50);
    expect(call.answers).toMatchObject([{ error: { code: 'aborted', outcome: 'none' } }]);
    expect(await world.tuples('s')).toEqual([['a']]);
  });

  test('while it goes on from slice to slice: it takes nothing', async () => {
    using _ = withLimits({ sliceEntries: 2, batchEntries: 2 });
    await using world = new EngineWorld();
    await world.out('s', ...[1, 2, 3, 4, 5].map(n => [n]));
    const call = world.ask('take', 's', { template: [{ $not: { $lt: 5 } }] });
    await world.turns.one();
    call.abandon();
    await world.turns.idle();
    expect(call.state).toBe('aborted');
    expect((await world.tuples('s')).length).toBe(5);
  });

  test('while running: its result comes', async () => {
    const gate = new Gate();
    await using world = new EngineWorld((store: Store) =>
      interpose(store, method => (method === 'remove' ? gate.passed : undefined)),
    );
    await world.out('s', ['a']);
    const call = world.ask('take', 's', { template: ['a'] });
    await world.turns.idle();
    call.abandon();
    gate.open();
    await world.turns.idle();
    expect(call.value).toMatchObject({ tuple: ['a'] });
  });

  test.each([
    ['wait', 100],
    ['go on', 1],
  ])('while running, when it then has to %s: it is let go', async (_, sliceEntries) => {
    using _limits = withLimits({ sliceEntries });
    const gate = new Gate();
    let held = false;
    await using world = new EngineWorld((store: Store) =>
      interpose(store, method => (held && method === 'find' ? gate.passed : undefined)),
    );
    await world.out('s', ['a'], ['a']);
    held = true;
    const call = world.ask('in', 's', { template: [{ $not: 'a' }] });
    await world.turns.idle();
    call.abandon();
    gate.open();
    await world.turns.idle();
    expect(call.state).toBe('aborted');
    expect([world.engine.waiting, world.engine.queued]).toEqual([0, 0]);
  });

  test('while the tuple that serves it is on its way: the tuple comes, whatever is said meanwhile', async () => {
    const gate = new Gate();
    let held = false;
    await using world = new EngineWorld((store: Store) =>
      interpose(store, method => (held && method === 'takeNumber' ? gate.passed : undefined)),
    );
    const [leaving, late, next] = ['a', 'b', 'c'].map(name =>
      world.ask('in', 's', { template: [name], timeout: 50 }),
    ) as [Call<Answers['in']>, Call<Answers['in']>, Call<Answers['in']>];
    await world.turns.idle();
    held = true;
    await world.out('s', ['a'], ['b'], ['c']);
    leaving.abandon();
    // The first is being served and the others are not yet: their time is over.
    await world.advance(50);
    next.abandon();
    expect([leaving.open, late.value, next.state]).toEqual([true, null, 'ok']);
    held = false;
    gate.open();
    await world.turns.idle();
    expect(leaving.value).toMatchObject({ tuple: ['a'] });
    expect(await world.tuples('s')).toEqual([['b'], ['c']]);
  });

  test('after the answer it means nothing', async () => {
    await using world = new EngineWorld();
    const call = world.ask('out', 's', { tuple: ['a'] });
    await world.turns.idle();
    call.abandon();
    await world.turns.idle();
    expect(call.answers).toHaveLength(1);
  });
});

describe('nothing is lost and nothing doubled', () => {
  test('whoever gives up whenever, however the store dawdles', async () => {
    using _ = withLimits({ sliceEntries: 3, batchRequests: 4, batchEntries: 8 });
    let taken = 0;
    let aborted = 0;
    const property = fc.asyncProperty(
      fc.array(anyDeed, { minLength: 20, maxLength: 80, size: 'max' }),
      async deeds => {
        await using world = new EngineWorld(dawdling);
        const crowd = new Crowd(world);
        for (const deed of deeds) await crowd.act(deed);
        await crowd.settle();
        const { put, gone } = crowd.ledger();
        const left = (await world.tuples('s')).map(tuple => (tuple as number[])[1] as number);
        const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);
        expect(sorted([...gone, ...left])).toEqual(sorted(put));
        expect(world.faults).toEqual([]);
        taken += gone.length;
        aborted += crowd.calls.filter(({ state }) => state === 'aborted').length;
      },
    );
    await fc.assert(property, { numRuns: 80, interruptAfterTimeLimit: 15_000 });
    expect(taken).toBeGreaterThan(50);
    expect(aborted).toBeGreaterThan(20);
  });
});

/** A store in which every call takes a turn. */
const dawdling = (store: Store, turns: Turns): Store =>
  interpose(store, () => new Promise<void>(resolve => turns.defer(resolve)));

const timeout = fc.constantFrom(undefined, 0, 1, 5, 20);
const template = fc.constantFrom<object>(
  ['x', any, any],
  ['x', any, 0],
  [any, { $lt: 20 }, any],
  [any, any, { $not: 1 }],
  {
    $anyOf: [
      ['x', any, 1],
      ['x', any, 2],
    ],
  },
);
const order = fc.constantFrom<unknown>(
  'oldest',
  'newest',
  { field: 1, dir: 'desc' },
  { field: 2 },
  { field: 5 },
);

const anyDeed = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('out'), many: fc.nat(3), delay: fc.constantFrom(0, 0, 3) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('in', 'take', 'takeMany', 'rd', 'read'),
      template,
      order,
      timeout,
      key: fc.constantFrom(undefined, undefined, 'k1', 'k2', 'k3'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('abandon'), which: fc.nat(8) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('turns'), count: fc.nat(12) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('advance'), ms: fc.nat(8) }) },
) as fc.Arbitrary<Deed>;

type Deed =
  | { do: 'out'; many: number; delay: number }
  | {
      do: 'in' | 'take' | 'takeMany' | 'rd' | 'read';
      template: object;
      order: unknown;
      timeout?: number;
      key?: string;
    }
  | { do: 'abandon'; which: number }
  | { do: 'turns'; count: number }
  | { do: 'advance'; ms: number };

/** Clients who put numbered tuples, take them and give up, and what they know in the end. */
class Crowd {
  readonly calls: Call<unknown>[] = [];
  readonly #abandoned = new Set<Call<unknown>>();
  readonly #outs: { call: Call<unknown>; numbers: number[] }[] = [];
  /** By key, where they have one: then all get the one answer. */
  readonly #takes = new Map<string, Call<unknown>[]>();
  readonly #looks = new Map<Call<unknown>, Template>();
  #next = 0;

  constructor(readonly world: EngineWorld) {}

  async act(deed: Deed): Promise<void> {
    const { world } = this;
    switch (deed.do) {
      case 'out':
        return this.#out(deed.many, deed.delay);
      case 'abandon':
        return this.#abandon(this.calls.at(-1 - deed.which));
      case 'turns':
        for (let count = 0; count < deed.count; count++) await world.turns.one();
        return;
      case 'advance':
        return world.clock.advance(deed.ms);
      case 'in':
      case 'take':
      case 'takeMany':
      case 'rd':
      case 'read':
        return this.#look(deed);
    }
  }

  #abandon(call: Call<unknown> | undefined): void {
    if (!call) return;
    this.#abandoned.add(call);
    call.abandon();
  }

  #out(many: number, delay: number): void {
    const numbers = Array.from({ length: Math.max(many, 1) }, () => this.#next++);
    const tuples = numbers.map(number => ['x', number, number % 3]);
    const call =
      many === 0
        ? this.world.ask('out', 's', { tuple: tuples[0], delay })
        : this.world.ask('outMany', 's', { tuples, delay });
    this.calls.push(call);
    this.#outs.push({ call, numbers });
  }

  #look(deed: Extract<Deed, { template: object }>): void {
    const { do: op, template, order, timeout, key } = deed;
    const values = {
      template,
      ...(op !== 'takeMany' && { order }),
      ...(timeout !== undefined && { timeout }),
    };
    // The same key with the same request only: another would be refused.
    const id = key && `${key} ${JSON.stringify([op, values])}`;
    const call = this.world.ask(op, 's', values, id === undefined ? undefined : { id, fingerprint: id });
    this.calls.push(call);
    this.#looks.set(call, parseTemplate(template));
    if (op === 'rd' || op === 'read') return;
    const group = id ?? `alone ${this.calls.length}`;
    this.#takes.set(group, [...(this.#takes.get(group) ?? []), call]);
  }

  async settle(): Promise<void> {
    await this.world.advance(100);
    for (const { open } of this.#abandoned) expect(open).toBe(false);
    // Nobody waits for what is there.
    const left = await this.world.tuples('s');
    for (const [call, template] of this.#looks) {
      if (call.open) expect(left.filter(tuple => matches(template, tuple as Tuple))).toEqual([]);
    }
    for (const call of this.calls) if (call.open) call.abandon();
    await this.world.turns.idle();
    for (const { answers } of this.calls) expect(answers).toHaveLength(1);
  }

  /** The numbers that were put, and those that were taken. */
  ledger(): { put: number[]; gone: number[] } {
    const put = this.#outs.flatMap(({ call, numbers }) => (call.state === 'ok' ? numbers : []));
    const gone = [...this.#takes.values()].flatMap(calls => {
      const answers = new Set(
        calls.filter(({ state }) => state === 'ok').map(({ value }) => JSON.stringify(value)),
      );
      expect(answers.size).toBeLessThanOrEqual(1);
      return [...answers].flatMap(text => numbersIn(JSON.parse(text)));
    });
    return { put, gone };
  }
}

function numbersIn(answer: Answers['take'] | Answers['takeMany']): number[] {
  if (answer === null) return [];
  const entries = 'entries' in answer ? answer.entries : [answer];
  return entries.map(({ tuple }) => tuple[1] as number);
}
