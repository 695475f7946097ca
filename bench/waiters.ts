/** What a tuple costs when thousands wait in its space for something else. */
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { any, type Client, gt, TupletError } from '../client/node.js';
import { limits } from '../shared/limits.js';
import { Clients, share } from './callers.js';
import { inTurn, ratios, timed, verify, type Workload } from './measure.js';
import { ServerProcess } from './server-process.js';

const waiting = 10_000;
const waitingConnections = 100;
const connections = 8;
const callers = 8;

export const waiters: Workload = {
  name: 'waiters',
  about: `out with ${connections * callers} calls under way on ${connections} connections, into a space where ${waiting.toLocaleString('en-US')} calls of ${waitingConnections} connections wait with as many different templates, or none.`,
  async run(bench) {
    await using server = await ServerProcess.start(join(bench.directory, 'waiters.db'));
    await using crowd = await Clients.connect(server.url, waitingConnections);
    await using producers = await Clients.connect(server.url, connections);
    const times = bench.scale(10_000);
    const rate = async () => {
      const ms = await timed(() =>
        share(producers, { callers, times }, (client, time) =>
          client.space('busy').out(['job', time, 'payload']),
        ),
      );
      await takeBack(producers.all[0] as Client, times);
      return times / (ms / 1_000);
    };
    const rateAmongWaiters = async () => {
      const leave = await wait(crowd);
      const result = await rate();
      await leave();
      return result;
    };
    const [alone, among] = await inTurn(bench, 'waiters', [rate, rateAmongWaiters]);
    return [
      { what: 'out, nobody waits', unit: '/s', samples: alone },
      { what: 'out, 10,000 wait', unit: '/s', samples: among },
      {
        what: 'out, 10,000 wait / nobody waits',
        unit: '',
        samples: ratios(among, alone),
        required: { least: 0.95 },
      },
    ];
  },
};

/** Half of them ask for a value of their own, half for a range of their own. Resolves with what ends the waiting. */
async function wait({ all }: Clients): Promise<() => Promise<void>> {
  const giveUp = new AbortController();
  setMaxListeners(0, giveUp.signal);
  const { signal } = giveUp;
  const calls = Array.from({ length: waiting }, async (_, at) => {
    const space = (all[at % all.length] as Client).space('busy');
    const template =
      at % 2 === 0 ? (['reply', `caller-${at}`, any] as const) : (['level', gt(at), any] as const);
    await space.in(template, { signal }).catch((error: unknown) => {
      if (!(error instanceof TupletError) || error.code !== 'aborted') throw error;
    });
  });
  // Asked on the same connections, so that it is answered after the waiting has begun.
  const states = await Promise.all(all.map(client => client.space('busy').state()));
  const most = Math.max(...states.map(state => state.waiters));
  verify(most === waiting, `${most} calls wait`);
  return async () => {
    giveUp.abort();
    await Promise.all(calls);
  };
}

async function takeBack(client: Client, count: number): Promise<void> {
  const numbers = new Set<unknown>();
  for (;;) {
    const jobs = await client.space('busy').takeMany(['job', Number, any], { limit: limits.takeManyTuples });
    if (jobs.length === 0) break;
    for (const [, number] of jobs) numbers.add(number);
  }
  verify(numbers.size === count, `${numbers.size} of ${count} tuples were there`);
}
