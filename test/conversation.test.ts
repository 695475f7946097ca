import { describe, expect, test } from 'vitest';
import { sharedToken } from '../server/auth/auth.js';
import { limits } from '../shared/limits.js';
import { World } from './support/world.js';

async function greeted() {
  const world = new World();
  const peer = world.stranger();
  peer.say({ hello: 1 });
  await world.turns.idle();
  return { world, ...peer };
}

describe('greeting', () => {
  test('hello is answered by welcome', async () => {
    const { heard } = await greeted();
    expect(heard).toMatchObject([
      { welcome: 1, resumed: false, silenceMs: limits.silenceMs, session: { ttl: 0 } },
    ]);
  });

  test.each([
    ['a request first', { op: 'take', n: 1, space: 's', template: [1] }, 'invalid'],
    ['another version', { hello: 2 }, 'invalid'],
    ['not a message', 7, 'invalid'],
    ['an unknown key', { hello: 1, colour: 'red' }, 'invalid'],
    ['no kind of message', {}, 'invalid'],
  ])('%s ends the talk', async (_name, message, code) => {
    const world = new World();
    const { say, heard, closed } = world.stranger();
    say(message);
    await world.turns.idle();
    expect(heard).toMatchObject([{ bye: { code }, again: false }]);
    expect(closed).toHaveLength(1);
    expect(world.conversations.size).toBe(0);
  });

  test('a peer that says nothing is let go', async () => {
    const world = new World();
    const { heard, closed } = world.stranger();
    await world.advance(limits.helloMs - 1);
    expect(closed).toEqual([]);
    await world.advance(1);
    expect(heard).toMatchObject([{ bye: { code: 'timeout' } }]);
    expect(closed).toHaveLength(1);
  });

  test.each([
    [undefined, 'unauthorized'],
    ['wrong', 'unauthorized'],
    ['right', undefined],
  ])('with token %s the server says %s', async (token, code) => {
    const world = new World();
    world.authenticator = sharedToken('right');
    const { say, heard } = world.stranger();
    say({ hello: 1, ...(token && { token }) });
    await world.turns.idle();
    expect(heard).toMatchObject([code ? { bye: { code }, again: false } : { welcome: 1 }]);
  });
});

describe('requests', () => {
  test('are answered by number, out of order, with growing serials', async () => {
    const { world, say, heard } = await greeted();
    say({ op: 'in', n: 1, space: 's', template: ['a'] });
    say({ op: 'count', n: 2, space: 's', template: ['a'] });
    await world.turns.idle();
    say({ op: 'out', n: 3, space: 's', tuple: ['a'] });
    await world.turns.idle();
    expect(heard.slice(1)).toMatchObject([
      { re: 2, serial: 1, ok: { count: 0 } },
      { re: 1, serial: 2, ok: { tuple: ['a'] } },
      { re: 3, serial: 3, ok: { position: expect.any(Number) } },
    ]);
  });

  test.each([
    ['an unknown operation', { op: 'fly' }, 'op'],
    ['an argument too many', { op: 'out', space: 's', tuple: [1], colour: 1 }, 'colour'],
    ['no template', { op: 'in', space: 's' }, 'template'],
    ['a bad formal', { op: 'in', space: 's', template: [{ $gt: null }] }, 'template[0]'],
    ['no space', { op: 'in', template: [1] }, 'space'],
    ['a negative timeout', { op: 'in', space: 's', template: [1], timeout: -1 }, 'timeout'],
  ])('with %s fail alone', async (_name, request, field) => {
    const { world, say, heard } = await greeted();
    say({ n: 1, ...request });
    say({ n: 2, op: 'count', space: 's', template: [1] });
    await world.turns.idle();
    expect(heard.slice(1)).toMatchObject([
      { re: 1, error: { code: 'invalid', field } },
      { re: 2, ok: { count: 0 } },
    ]);
  });

  test('may not write to the space of the lock manager', async () => {
    const { world, say, heard } = await greeted();
    say({ n: 1, op: 'out', space: 'locks', tuple: [1] });
    say({ n: 2, op: 'scan', space: 'locks', template: [{ $rest: true }] });
    await world.turns.idle();
    expect(heard.slice(1)).toMatchObject([
      { re: 1, error: { code: 'forbidden', field: 'space' } },
      { re: 2, ok: { entries: [] } },
    ]);
  });

  test.each([[0], [1.5], ['1'], [undefined]])('with the number %s end the talk', async n => {
    const { world, say, closed } = await greeted();
    say({ op: 'count', n, space: 's', template: [1] });
    await world.turns.idle();
    expect(closed).toHaveLength(1);
  });

  test('whose number does not grow end the talk', async () => {
    const { world, say, closed } = await greeted();
    for (const n of [5, 5]) say({ op: 'count', n, space: 's', template: [1] });
    await world.turns.idle();
    expect(closed).toHaveLength(1);
  });

  test('that are abandoned are answered by aborted, and take nothing', async () => {
    const { world, say, heard } = await greeted();
    say({ op: 'in', n: 1, space: 's', template: ['a'] });
    await world.turns.idle();
    say({ abandon: 1 });
    say({ abandon: 77 });
    await world.turns.idle();
    await world.out('s', ['a']);
    expect(heard.slice(1)).toMatchObject([{ re: 1, error: { code: 'aborted' } }]);
    expect(await world.tuples('s')).toEqual([['a']]);
  });

  test('answers of one turn leave as one frame', async () => {
    const world = new World();
    const frames: number[] = [];
    const link = world.link();
    link.attach({ messages: batch => frames.push(batch.length), closed: () => {} });
    const count = (n: number) => ({ op: 'count' as const, n, space: 's', template: [1] });
    link.send([{ hello: 1 }, count(1), count(2), count(3)]);
    await world.turns.idle();
    expect(frames).toEqual([1, 3]);
  });
});

describe('the end', () => {
  test('a client that goes away while it waits takes nothing', async () => {
    const { world, say, link } = await greeted();
    say({ op: 'in', n: 1, space: 's', template: ['a'] });
    await world.turns.idle();
    expect(world.engine.waiting).toBe(1);
    link.close('gone');
    await world.turns.idle();
    expect(world.engine.waiting).toBe(0);
    await world.out('s', ['a']);
    expect(await world.tuples('s')).toEqual([['a']]);
  });

  test('a silent peer is pinged, then closed; one that answers stays', async () => {
    const { world, say, heard, closed } = await greeted();
    const alive = await greeted();
    await world.advance(limits.silenceMs - 1);
    expect(heard.filter(message => 'ping' in message).length).toBeGreaterThan(0);
    expect(closed).toEqual([]);
    await world.advance(1);
    expect(closed).toEqual(['the peer is silent']);
    for (let time = 0; time < 3 * limits.silenceMs; time += limits.pingMs) {
      await alive.world.advance(limits.pingMs);
      alive.say({ pong: 1 });
      await alive.world.turns.idle();
    }
    expect(alive.closed).toEqual([]);
    expect(say).toBeDefined();
  });

  test('a drain answers what runs, abandons what waits, and says that it may come back', async () => {
    const { world, say, heard, closed } = await greeted();
    say({ op: 'in', n: 1, space: 's', template: ['a'] });
    await world.turns.idle();
    say({ op: 'out', n: 2, space: 's', tuple: ['b'] });
    const drained = Promise.all([...world.conversations].map(conversation => conversation.drain()));
    await world.settle(drained);
    expect(heard.at(-1)).toMatchObject({ bye: { code: 'unavailable' }, again: true });
    expect(heard.filter(message => 're' in message)).toEqual([]);
    expect(closed).toHaveLength(1);
    // The out came after the last word: it is not done, as `again` says.
    expect(await world.tuples('s')).toEqual([]);
  });

  test('a peer that does not read is closed, not buffered for ever', async () => {
    const world = new World();
    const peer = world.stranger();
    let unsentBytes = 0;
    const reasons: string[] = [];
    const { Conversation } = await import('../server/conversation.js');
    const { engine, clock, deadlines, authenticator } = world;
    let receive: (batch: readonly unknown[]) => void = () => {};
    new Conversation(
      {
        attach: handler => {
          receive = batch => handler.messages(batch);
        },
        send: () => {
          unsentBytes = limits.unsentBytes + 1;
        },
        close: reason => reasons.push(reason),
        get unsentBytes() {
          return unsentBytes;
        },
      },
      { engine, clock, deadlines, authenticator },
    );
    receive([{ hello: 1 }]);
    await world.turns.idle();
    expect(reasons).toEqual(['the peer does not read']);
    expect(peer.closed).toEqual([]);
  });
});
