/** `node dist/bench/main.js [workload…] [--quick] [--repetitions 5]`: measures tuplet and prints a Markdown table. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { handoff } from './handoff.js';
import type { Bench, Workload } from './measure.js';
import { pingPong } from './ping-pong.js';
import { type Ran, report } from './report.js';
import { selectiveTake } from './selective-take.js';
import { startUp } from './start-up.js';
import { waiters } from './waiters.js';

const workloads: readonly Workload[] = [handoff, pingPong, waiters, selectiveTake, startUp];
const idOf = ({ name }: Workload): string => name.replaceAll(' ', '-');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    repetitions: { type: 'string' },
  },
});
const repetitions = Number(values.repetitions ?? (values.quick ? 2 : 5));
const unknown = positionals.find(name => !workloads.some(workload => idOf(workload) === name));
if (unknown !== undefined || !Number.isInteger(repetitions) || repetitions < 1) {
  process.stderr.write(`usage: bench [${workloads.map(idOf).join('|')} …] [--quick] [--repetitions 5]\n`);
  process.exit(2);
}

const note = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
};
const directory = await mkdtemp(join(tmpdir(), 'tuplet-bench-'));
const bench: Bench = {
  directory,
  repetitions,
  scale: size => (values.quick ? size / 10 : size),
  note,
};
const ran: Ran[] = [];
try {
  for (const workload of workloads) {
    if (positionals.length > 0 && !positionals.includes(idOf(workload))) continue;
    ran.push({ workload, figures: await workload.run(bench) });
  }
} finally {
  note('');
  await rm(directory, { recursive: true });
}
process.stdout.write(report(ran, repetitions));
