/** `npm run crash -- [--rounds 200] [--seed N] [--clients 4] [--file FILE]`: kill rounds; status 1 when a rule was broken. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { playRounds } from './rounds.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    clients: { type: 'string', default: '4' },
    file: { type: 'string' },
  },
});
const [rounds, seed, clients] = [values.rounds, values.seed, values.clients].map(Number) as [
  number,
  number,
  number,
];
if (![rounds, clients].every(count => Number.isInteger(count) && count > 0) || !Number.isInteger(seed)) {
  process.stderr.write('crash: --rounds, --clients and --seed are whole numbers\n');
  process.exit(2);
}

const directory = await mkdtemp(join(tmpdir(), 'tuplet-crash-'));
const file = values.file ?? join(directory, 'crash.db');
process.stdout.write(`crash: ${rounds} rounds, ${clients} clients, seed ${seed}\n`);
const bar = new SingleBar({
  format:
    '{bar} round {value}/{total}, {kills} kills, {puts} puts, {takes} takes, {violations} violations, {eta_formatted} left',
  clearOnComplete: true,
});
bar.start(rounds, 0, { kills: 0, puts: 0, takes: 0, violations: 0 });
const started = performance.now();
const summary = await playRounds({
  rounds,
  seed,
  clients,
  file,
  onRound: ({ rounds: round, kills, puts, takes, violations }) =>
    bar.update(round, { kills, puts, takes, violations: violations.length }),
});
bar.stop();
await rm(directory, { recursive: true });

const { violations, ...tally } = summary;
const seconds = ((performance.now() - started) / 1000).toFixed(1);
process.stdout.write(
  [
    `rounds                            ${tally.rounds}, ${tally.kills} kills -9, ${seconds} s`,
    `acknowledged tuples put           ${tally.puts}`,
    `acknowledged tuples taken         ${tally.takes}`,
    `tuples of puts that were cut off  ${tally.unknownPuts}`,
    `takes that were cut off           ${tally.unknownTakes}, of which ${tally.cutOff} tuples are gone with the answer`,
    `violations                        ${violations.length}`,
    ...violations.slice(0, 50).map(({ round, rule, message }) => `  round ${round}: ${rule}: ${message}`),
    '',
  ].join('\n'),
);
process.exitCode = violations.length > 0 ? 1 : 0;
