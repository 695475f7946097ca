/** Two clients answer each other: nothing to batch, so all that counts is how long one message takes. */
import { join } from 'node:path';
import { Clients } from './callers.js';
import { type Bench, median, percentile, repeat, verify, type Workload } from './measure.js';
import { ServerProcess } from './server-process.js';

export const pingPong: Workload = {
  name: 'ping-pong',
  about:
    'two clients, one call under way each: out, in of the other, out, in; two durable handoffs there and back.',
  async run(bench) {
    await using server = await ServerProcess.start(join(bench.directory, 'ping-pong.db'));
    await using clients = await Clients.connect(server.url, 2);
    const tails: number[] = [];
    const samples = await repeat(bench, 'ping-pong', async () => {
      const times = await rally(clients, bench);
      tails.push(percentile(times, 99));
      return median(times);
    });
    return [
      { what: 'there and back, p50', unit: 'ms', samples },
      { what: 'there and back, p99', unit: 'ms', samples: tails.slice(1) },
    ];
  },
};

async function rally({ all }: Clients, bench: Bench): Promise<number[]> {
  const [left, right] = all.map(client => client.space('table'));
  verify(left !== undefined && right !== undefined, 'it takes two');
  const rounds = bench.scale(2_000);
  const times: number[] = [];
  const answering = async () => {
    for (let round = 0; round < rounds; round++) {
      const [, ball] = await right.in(['ping', Number]);
      await right.out(['pong', ball]);
    }
  };
  const asking = async () => {
    for (let round = 0; round < rounds; round++) {
      const started = performance.now();
      // The wait stands before the answer can come, as a caller of a service would have it.
      const [[, ball]] = await Promise.all([left.in(['pong', Number]), left.out(['ping', round])]);
      times.push(performance.now() - started);
      verify(ball === round, `ball ${ball} came back in round ${round}`);
    }
  };
  await Promise.all([answering(), asking()]);
  return times;
}
