/** A job goes from whoever puts it to whoever waits for it. */
import { join } from 'node:path';
import { Clients, share } from './callers.js';
import { repeat, timed, verify, type Workload } from './measure.js';
import { ServerProcess } from './server-process.js';

const connections = 8;
const callers = 8;

export const handoff: Workload = {
  name: 'handoff',
  about: `${connections} connections put, ${connections} take with in(), each with ${callers} calls under way: ${connections * callers} of each kind.`,
  async run(bench) {
    await using server = await ServerProcess.start(join(bench.directory, 'handoff.db'));
    await using producers = await Clients.connect(server.url, connections);
    await using consumers = await Clients.connect(server.url, connections);
    const times = bench.scale(40_000);
    const samples = await repeat(bench, 'handoff', async () => {
      const received = new Set<number>();
      const put = () =>
        share(producers, { callers, times }, (client, time) =>
          client.space('jobs').out(['job', time, 'payload']),
        );
      const take = () =>
        share(consumers, { callers, times }, async client => {
          const [, time] = await client.space('jobs').in(['job', Number, String]);
          received.add(time);
        });
      const ms = await timed(() => Promise.all([take(), put()]));
      verify(received.size === times, `${received.size} of ${times} jobs were received once`);
      return times / (ms / 1_000);
    });
    return [{ what: 'tuples handed over', unit: '/s', samples }];
  },
};
