import { describe, expect, test } from 'vitest';
import { any, gt, TupletError } from '../../client/index.js';
import { fromErrorMessage } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import { World } from '../support/world.js';

const failure = async (promise: Promise<unknown>): Promise<TupletError> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof TupletError)) throw new Error(`not a TupletError: ${String(error)}`);
  return error;
};

describe('connecting', () => {
  test('addresses are tried in turn, with growing pauses between rounds', async () => {
    const world = new World();
    world.refusing = 5;
    const connection = world.connection({ minDelay: 100, backoff: 2, maxDelay: 250 }, ['one', 'two']);
    const start = world.clock.now();
    const opened = connection.open();
    await world.advance(1_000);
    await opened;
    expect(world.attempts.map(({ address, at }) => [address, at - start])).toEqual([
      ['one', 0],
      ['two', 0],
      ['one', 100],
      ['two', 100],
      ['one', 300],
      ['two', 300],
    ]);
    expect(connection.state).toBe('open');
  });

  test('pauses do not grow past maxDelay', async () => {
    const world = new World();
    world.refusing = 6;
    const opened = world.connection({ minDelay: 100, backoff: 10, maxDelay: 500 }).open();
    await world.advance(5_000);
    await opened;
    const times = world.attempts.map(({ at }) => at);
    expect(times.slice(1).map((at, index) => at - (times[index] as number))).toEqual([
      100, 500, 500, 500, 500, 500,
    ]);
  });

  test('after maxAttempts the client is lost, and says why', async () => {
    const world = new World();
    world.refusing = 99;
    const connection = world.connection({ maxAttempts: 2 });
    const opened = failure(connection.open());
    await world.advance(1_000);
    expect(await opened).toMatchObject({ code: 'lost', message: expect.stringContaining('one refuses') });
    expect(world.attempts).toHaveLength(2);
    expect(connection.state).toBe('lost');
    expect(await failure(connection.request('spaces', undefined, {}))).toMatchObject({
      code: 'lost',
      outcome: 'none',
    });
  });

  test('what another attempt cannot mend is not tried again', async () => {
    const world = new World();
    world.authenticator = {
      identify: () => {
        throw fromErrorMessage({ code: 'unauthorized', message: 'token: no' });
      },
    };
    expect(await failure(world.settle(world.connection().open()))).toMatchObject({ code: 'unauthorized' });
    expect(world.attempts).toHaveLength(1);
  });

  test('a client that is closed while it connects stops trying', async () => {
    const world = new World();
    world.refusing = 99;
    const connection = world.connection();
    const opened = failure(connection.open());
    await world.turns.idle();
    await world.settle(connection.close());
    expect(await opened).toMatchObject({ code: 'closed' });
    expect(world.clock.next).toBeUndefined();
  });
});

describe('calls', () => {
  test('that are made in one turn leave as one frame', async () => {
    const world = new World();
    const { client } = await world.client();
    const before = world.batches.length;
    const jobs = client.space('jobs');
    await world.settle(Promise.all(Array.from({ length: 50 }, (_, n) => jobs.out(['job', n]))));
    expect(world.batches.slice(before)).toEqual([50]);
  });

  test('are answered whatever the order', async () => {
    const world = new World();
    const { client } = await world.client();
    const jobs = client.space('jobs');
    const waiting = jobs.in(['job', gt(5), any]);
    await world.settle(jobs.out(['job', 7, { deep: [1] }]));
    expect(await waiting).toEqual(['job', 7, { deep: [1] }]);
  });

  test('receipts grow with the answers, and the last goes out before the end', async () => {
    const world = new World();
    const { client } = await world.client();
    const jobs = client.space('jobs');
    await world.settle(jobs.out(['a']));
    await world.settle(jobs.out(['b']));
    await world.settle(jobs.out(['c']));
    await world.settle(client.close());
    const receipts = world.heard.flatMap(message => ('receipt' in message ? [message.receipt] : []));
    expect(receipts).toEqual([1, 2, 3]);
  });

  test('an idle client gives its receipt soon', async () => {
    const world = new World();
    const { client } = await world.client();
    await world.settle(client.space('jobs').out(['a']));
    await world.advance(50);
    expect(world.heard).toContainEqual({ receipt: 1 });
  });

  test('what is no JSON does not leave the client', async () => {
    const world = new World();
    const { client } = await world.client();
    const jobs = client.space('jobs');
    for (const value of [undefined, Number.NaN, new Date(), 1n, () => 1, '\ud800', any]) {
      const bad = ['a', value] as unknown as ['a', 'b'];
      expect(await failure(jobs.out(bad))).toMatchObject({ code: 'invalid', field: 'tuple[1]' });
    }
    expect(world.heard.filter(message => 'op' in message)).toEqual([]);
  });
});

describe('an AbortSignal', () => {
  test('that fired before sends nothing', async () => {
    const world = new World();
    const { client } = await world.client();
    const call = client.space('s').in(['a'], { signal: AbortSignal.abort('why') });
    expect(await failure(call)).toMatchObject({ code: 'aborted', cause: 'why', outcome: 'none' });
    expect(world.heard.filter(message => 'op' in message)).toEqual([]);
  });

  test('ends a wait, which then takes nothing', async () => {
    const world = new World();
    const { client } = await world.client();
    const controller = new AbortController();
    const call = failure(client.space('s').in(['a'], { signal: controller.signal }));
    await world.turns.idle();
    controller.abort('enough');
    await world.turns.idle();
    expect(await call).toMatchObject({ code: 'aborted', cause: 'enough', outcome: 'none' });
    await world.out('s', ['a']);
    expect(await world.tuples('s')).toEqual([['a']]);
  });

  test('that races a match loses no tuple, whoever wins', async () => {
    // The abort falls after every possible number of turns: the tuple is either in the answer or in the space.
    const outcomes = new Set<string>();
    for (let turns = 0; turns < 8; turns++) {
      const world = new World();
      const { client } = await world.client();
      const controller = new AbortController();
      const call = client
        .space('s')
        .in(['a'], { signal: controller.signal })
        .catch((error: TupletError) => error.code);
      await world.turns.idle();
      const put = client.space('s').out(['a']);
      for (let turn = 0; turn < turns; turn++) await world.turns.one();
      controller.abort();
      await world.settle(put);
      const left = await world.tuples('s');
      const outcome = await call;
      expect(outcome === 'aborted' ? left : [...left, outcome]).toEqual([['a']]);
      outcomes.add(typeof outcome === 'string' ? 'aborted' : 'taken');
    }
    expect(outcomes).toEqual(new Set(['aborted', 'taken']));
  });
});

describe('when the connection breaks', () => {
  test('calls wait while the client looks for another, reads are asked again, the rest is unknown', async () => {
    const world = new World();
    const { client, events } = await world.client();
    const jobs = client.space('jobs');
    const taking = failure(jobs.in(['a']));
    const reading = jobs.rd(['b']);
    await world.turns.idle();
    world.serverEnds[0]?.close('cable cut');
    await world.settle(Promise.resolve());
    expect(await taking).toMatchObject({ code: 'lost', outcome: 'unknown', retryable: true });
    const putting = jobs.out(['b']);
    await world.advance(1_000);
    expect(await reading).toEqual(['b']);
    expect(await putting).toMatchObject({ id: expect.any(Number) });
    expect(events).toEqual(['connected', 'suspended', 'resumed']);
  });

  test('after a drain nothing is unknown: what has no answer is asked again', async () => {
    const world = new World();
    const { client, events } = await world.client();
    const taking = client.space('jobs').in(['a']);
    await world.turns.idle();
    await world.settle(Promise.all([...world.conversations].map(one => one.drain())));
    await world.advance(1_000);
    await world.out('jobs', ['a']);
    expect(await taking).toEqual(['a']);
    expect(events).toEqual(['connected', 'suspended', 'resumed']);
  });

  test('a call that was aborted meanwhile is not asked again', async () => {
    const world = new World();
    const { client } = await world.client();
    const controller = new AbortController();
    const reading = failure(client.space('s').rd(['a'], { signal: controller.signal }));
    await world.turns.idle();
    world.serverEnds[0]?.close('cable cut');
    world.refusing = 1;
    await world.turns.idle();
    controller.abort();
    await world.advance(1_000);
    expect(await reading).toMatchObject({ code: 'aborted' });
    expect(world.heard.filter(message => 'op' in message)).toHaveLength(1);
  });

  test('a silent server is left', async () => {
    const world = new World();
    const { events } = await world.client();
    // The server's clock stops: it sends no pings any more.
    world.deadlines.clear();
    await world.advance(limits.silenceMs + 1_000);
    expect(events).toEqual(['connected', 'suspended', 'resumed']);
  });

  test('when attempts are over every call ends as lost', async () => {
    const world = new World();
    const { client, events } = await world.client({ maxAttempts: 3 });
    world.refusing = 99;
    const reading = failure(client.space('s').rd(['a']));
    await world.turns.idle();
    world.serverEnds[0]?.close('cable cut');
    await world.advance(10_000);
    expect(await reading).toMatchObject({ code: 'lost' });
    expect(events).toEqual(['connected', 'suspended', 'lost']);
    expect(client.state).toBe('lost');
  });

  test('closing ends the calls under way, and leaves no timer', async () => {
    const world = new World();
    const { client } = await world.client();
    const taking = failure(client.space('s').in(['a']));
    await world.turns.idle();
    await world.settle(client.close());
    expect(await taking).toMatchObject({ code: 'closed', outcome: 'unknown' });
    expect(world.engine.waiting).toBe(0);
    expect(await failure(client.space('s').take(['a']))).toMatchObject({ code: 'closed' });
  });
});
