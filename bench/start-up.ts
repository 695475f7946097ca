/** How soon a server is there again after kill -9 on a large file, and what memory it has then. */
import { any, type Client, connect } from '../client/node.js';
import { Clients, share } from './callers.js';
import { filledFile, filledSpace, kindOf, kinds } from './filled.js';
import { type Bench, type Figure, timed, verify, type Workload } from './measure.js';
import { ServerProcess } from './server-process.js';

const many = 1_000_000;

export const startUp: Workload = {
  name: 'start-up',
  about:
    'from the start of the process until /readyz answers 200, and then until the first take of a new client is answered, on the file that a server left which was killed with -9 while it was written to.',
  async run(bench) {
    const size = bench.scale(many);
    const file = await filledFile(bench, size);
    // The first search makes the index that it needs, once in the life of a file.
    await useAndKill(bench, await ServerProcess.start(file));
    const ready: number[] = [];
    const answered: number[] = [];
    const memory: number[] = [];
    for (let run = 1; run <= bench.repetitions; run++) {
      bench.note(`start-up: ${run} of ${bench.repetitions}`);
      const started = performance.now();
      const server = await ServerProcess.start(file);
      const response = await fetch(`${server.url}/readyz`);
      verify(response.status === 200, `/readyz says ${response.status}`);
      ready.push(performance.now() - started);
      answered.push(performance.now() - started + (await timed(() => takeOne(server.url))));
      memory.push(server.memory());
      await useAndKill(bench, server);
    }
    return figures(size, { ready, answered, memory });
  },
};

function figures(size: number, samples: Record<'ready' | 'answered' | 'memory', number[]>): Figure[] {
  const tuples = `${size.toLocaleString('en-US')} tuples`;
  return [
    { what: `ready, ${tuples}`, unit: 'ms', samples: samples.ready, required: { most: 2_000 } },
    { what: `first take answered, ${tuples}`, unit: 'ms', samples: samples.answered },
    { what: 'resident memory then', unit: 'MiB', samples: samples.memory },
  ];
}

async function takeOne(url: string): Promise<void> {
  const client = await connect(url);
  const space = client.space(filledSpace);
  const tuple = await space.take([kindOf(7), Number, any]);
  verify(tuple !== null, 'there is a tuple to take');
  await space.out(tuple);
  await client.close();
}

/** Leaves a log full of writes for the next start to read, the last of them cut off. */
async function useAndKill(bench: Bench, server: ServerProcess): Promise<void> {
  await using clients = await Clients.connect(server.url, 8);
  const takeAndPutBack = async (client: Client) => {
    const space = client.space(filledSpace);
    const tuple = await space.take([kindOf(Math.floor(Math.random() * kinds)), Number, any]);
    if (tuple) await space.out(tuple);
  };
  await share(clients, { callers: 8, times: bench.scale(4_000) }, takeAndPutBack);
  const cutOff = Promise.allSettled(clients.all.map(takeAndPutBack));
  await server.kill();
  await cutOff;
}
