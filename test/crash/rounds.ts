/**
 * Kill rounds: a server process on one SQLite file, client processes that put and take, and a kill -9 at a moment by chance. After each
 * crash the server comes back on the same file, sometimes only after another kill while it starts, and when the clients have been answered
 * again and have stopped, `checkRound` says whether every acknowledged word was kept.
 *
 * The seed repeats what is asked for and when the kills come; the schedule of the processes is not in its hands.
 */
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, connect, rest } from '../../client/node.js';
import {
  checkRound,
  emptyStanding,
  type Item,
  lanes,
  type Sighting,
  type Standing,
  type Tally,
  type Violation,
} from './check.js';
import { bundleLoad, freePort, LoadProcess, Server } from './processes.js';
import { between, type Random, seededRandom } from './random.js';

export interface RoundsOptions {
  readonly rounds: number;
  readonly seed: number;
  /** The database, which is made anew. */
  readonly file: string;
  readonly clients?: number;
  readonly onRound?: (summary: Summary) => void;
}

export interface Summary extends Tally {
  /** Rounds that were played. */
  readonly rounds: number;
  readonly kills: number;
  readonly violations: readonly (Violation & { readonly round: number })[];
}

/** Over so many tuples that stand there, the clients take more than they put. */
const crowd = 2_000;

export async function playRounds(options: RoundsOptions): Promise<Summary> {
  const { file, rounds, clients = 4 } = options;
  for (const suffix of ['', '-wal', '-shm']) await rm(file + suffix, { force: true });
  const random = seededRandom(options.seed);
  const port = await freePort();
  const url = `ws://127.0.0.1:${port}`;
  const program = await bundleLoad();
  const game: Game = { file, port, random, loads: [], server: new Server(file, port) };
  try {
    await game.server.ready;
    for (let client = 0; client < clients; client++) game.loads.push(new LoadProcess(program, url, client));
    await Promise.all(game.loads.map(load => load.report('connected')));
    const observer = await connect(url, { minDelay: 10, maxDelay: 50 });
    try {
      return await play(game, observer, { ...options, rounds });
    } finally {
      await observer.close();
    }
  } finally {
    for (const load of game.loads) load.kill();
    await game.server.kill();
  }
}

interface Game {
  readonly file: string;
  readonly port: number;
  readonly random: Random;
  readonly loads: LoadProcess[];
  server: Server;
}

async function play(game: Game, observer: Client, { rounds, onRound }: RoundsOptions): Promise<Summary> {
  let standing: Standing = emptyStanding;
  let summary: Summary = {
    rounds: 0,
    kills: 0,
    puts: 0,
    takes: 0,
    unknownPuts: 0,
    unknownTakes: 0,
    cutOff: 0,
    violations: [],
  };
  for (let round = 1; round <= rounds; round++) {
    const putShare = standing.items.length > crowd ? 0.3 : 0.5;
    for (const load of game.loads) {
      load.send({ do: 'load', seed: between(game.random, 0, 2 ** 31), resting: round % lanes, putShare });
    }
    await delay(between(game.random, 50, 600));
    const kills = await crash(game);
    const calls = await histories(game.loads);
    const verdict = checkRound(standing, calls, await everything(observer));
    standing = verdict.standing;
    summary = added(summary, { round, kills, ...verdict });
    onRound?.(summary);
  }
  return summary;
}

/** Kills the server until it is back, and tells how often. */
async function crash(game: Game): Promise<number> {
  let kills = 0;
  for (;;) {
    await game.server.kill();
    kills++;
    game.server = new Server(game.file, game.port);
    if (game.random() < 0.8) break;
    // Not before it has begun to open the file, maybe after it has begun to answer.
    await delay(between(game.random, 100, 500));
  }
  await game.server.ready;
  return kills;
}

async function histories(loads: readonly LoadProcess[]) {
  await Promise.all(loads.map(load => load.report('back')));
  for (const load of loads) load.send({ do: 'stop' });
  const reports = await Promise.all(loads.map(load => load.report('history')));
  return reports.flatMap(({ calls }) => calls);
}

async function everything(observer: Client): Promise<Sighting[]> {
  const found: Sighting[] = [];
  for await (const { tuple, id, position } of observer.space('items').scan([rest], { limit: 1_000 })) {
    found.push({ item: tuple as unknown as Item, id, position: position as number });
  }
  return found;
}

function added(
  summary: Summary,
  verdict: { round: number; kills: number; tally: Tally; violations: readonly Violation[] },
): Summary {
  const { round, tally } = verdict;
  return {
    rounds: round,
    kills: summary.kills + verdict.kills,
    puts: summary.puts + tally.puts,
    takes: summary.takes + tally.takes,
    unknownPuts: summary.unknownPuts + tally.unknownPuts,
    unknownTakes: summary.unknownTakes + tally.unknownTakes,
    cutOff: summary.cutOff + tally.cutOff,
    violations: [...summary.violations, ...verdict.violations.map(one => ({ ...one, round }))],
  };
}
