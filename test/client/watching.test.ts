import { describe, expect, test } from 'vitest';
import type { Client } from '../../client/client.js';
import { any, rest } from '../../client/index.js';
import { World } from '../support/world.js';

const next = async (world: World, iterator: AsyncIterator<unknown>) =>
  ((await world.settle(iterator.next())) as IteratorResult<unknown>).value;

async function watched(
  world: World,
): Promise<{ client: Client; out: (...tuple: ['a', number]) => Promise<unknown> }> {
  const { client } = await world.client();
  return { client, out: (...tuple) => world.settle(client.space('s').out(tuple)) };
}

describe('a watch of the SDK', () => {
  test('begins at once, and is iterated', async () => {
    const world = new World();
    const { client, out } = await watched(world);
    const watching = client.space('s').watch(['a', Number]);
    await world.turns.idle();
    await out('a', 1);
    await world.settle(client.space('s').take(['a', any]));
    expect(await next(world, watching)).toMatchObject({ type: 'out', entry: { tuple: ['a', 1] } });
    expect(await next(world, watching)).toMatchObject({ type: 'taken', entry: { tuple: ['a', 1] } });
  });

  test('goes on over a reconnect without a gap or a repeat', async () => {
    const world = new World();
    const { client, out } = await watched(world);
    const watching = client.space('s').watch([rest]);
    await world.turns.idle();
    await out('a', 1);
    world.serverEnds[0]?.close('cable cut');
    await world.turns.idle();
    await world.out('s', ['a', 2]);
    await world.advance(1_000);
    await world.out('s', ['a', 3]);
    const seen = [await next(world, watching), await next(world, watching), await next(world, watching)];
    expect(seen).toMatchObject([1, 2, 3].map(n => ({ type: 'out', entry: { tuple: ['a', n] } })));
  });

  test('ends with a break, and the server watches no more', async () => {
    const world = new World();
    const { client } = await watched(world);
    const watching = client.space('s').watch([rest]);
    await world.turns.idle();
    expect(await world.get('space', 's')).toMatchObject({ watches: 1 });
    await world.settle(watching.return());
    expect(await world.get('space', 's')).toMatchObject({ watches: 0 });
    expect(await world.settle(watching.next())).toEqual({ done: true, value: undefined });
  });

  test('that is ended before the server has heard of it, ends', async () => {
    const world = new World();
    const { client } = await watched(world);
    await client.space('s').watch([rest]).return();
    await world.turns.idle();
    expect(await world.get('space', 's')).toMatchObject({ watches: 0 });
  });

  test.each([
    ['aborted', (_client: Client, controller: AbortController) => controller.abort()],
    ['closed', (client: Client) => client.close()],
  ] as const)('ends as %s', async (code, end) => {
    const world = new World();
    const { client } = await watched(world);
    const controller = new AbortController();
    const watching = client.space('s').watch([rest], { signal: controller.signal });
    await world.turns.idle();
    const waiting = watching.next().catch((error: unknown) => error);
    void end(client, controller);
    expect(await world.settle(waiting)).toMatchObject({ code });
  });

  test('what the program does not read waits at the server, and nothing is lost', async () => {
    const world = new World();
    const { client } = await watched(world);
    const watching = client.space('s').watch([rest]);
    await world.turns.idle();
    const count = 10_500;
    for (let at = 0; at < count; at += 500) {
      const tuples = Array.from({ length: 500 }, (_, n) => [at + n]);
      await world.get('outMany', 's', { tuples });
    }
    await world.turns.idle();
    expect(await world.get('space', 's')).toMatchObject({ watches: 0 });
    await world.get('out', 's', { tuple: ['more'] });
    const seen: unknown[] = [];
    while (seen.length <= count) seen.push(await next(world, watching));
    expect(seen.at(-1)).toMatchObject({ type: 'out', entry: { tuple: ['more'] } });
  }, 120_000);
});
