/** Taking one kind of many, from a space that is small or large. */
import { any } from '../client/node.js';
import { Clients, share } from './callers.js';
import { filledFile, filledSpace, kindOf, kinds } from './filled.js';
import { type Bench, inTurn, ratios, timed, verify, type Workload } from './measure.js';
import { ServerProcess } from './server-process.js';

const few = 10_000;
const many = 1_000_000;
const callers = 8;

export const selectiveTake: Workload = {
  name: 'selective take',
  about: `${callers} callers, each on a connection of its own, take a tuple of one of ${kinds} kinds and put it back, one call after the other.`,
  async run(bench) {
    const sizes = [few, bench.scale(many)] as const;
    await using small = await ServerProcess.start(await filledFile(bench, sizes[0]));
    await using large = await ServerProcess.start(await filledFile(bench, sizes[1]));
    await using smallClients = await Clients.connect(small.url, callers);
    await using largeClients = await Clients.connect(large.url, callers);
    const [fromFew, fromMany] = await inTurn(bench, 'selective take', [
      () => rate(bench, smallClients, sizes[0]),
      () => rate(bench, largeClients, sizes[1]),
    ]);
    const [less, more] = sizes.map(size => size.toLocaleString('en-US'));
    return [
      { what: `take and put back, ${less} tuples`, unit: 'pairs/s', samples: fromFew },
      { what: `take and put back, ${more} tuples`, unit: 'pairs/s', samples: fromMany },
      { what: `${more} / ${less}`, unit: '', samples: ratios(fromMany, fromFew), required: { least: 0.8 } },
    ];
  },
};

/** What goes back has a number that was never there before, so that each is taken once. */
async function rate(bench: Bench, clients: Clients, size: number): Promise<number> {
  const times = bench.scale(2_000);
  const taken = new Set<number>();
  const ms = await timed(() =>
    share(clients, { callers: 1, times }, async client => {
      const space = client.space(filledSpace);
      const kind = kindOf(Math.floor(Math.random() * kinds));
      const tuple = await space.take([kind, Number, any]);
      verify(tuple !== null, `there is a tuple of ${kind}`);
      const [, number, payload] = tuple;
      taken.add(number);
      await space.out([kind, number + size, payload]);
    }),
  );
  verify(taken.size === times, `${taken.size} of ${times} tuples were taken once`);
  const [client] = clients.all;
  const left = (await client?.space(filledSpace).state())?.tuples;
  verify(left === size, `${left} of ${size} tuples are there again`);
  return times / (ms / 1_000);
}
