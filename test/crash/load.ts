/**
 * A client process of the kill rounds: puts and takes by chance with several calls under way, and keeps a record of what each call was
 * told. It goes through every crash with one connection of the SDK, which comes back by itself.
 *
 * It is told `load` and `stop`, and says `connected`, `back` (some calls were answered after a reconnection) and `history`.
 */
import { connect, type Entry, type Space, TupletError } from 'tuplet';
import { type Call, type Item, lanes, type Put, type Sighting, type Take } from './check.js';
import { between, type Random, seededRandom } from './random.js';

export interface LoadOrder {
  readonly do: 'load';
  readonly seed: number;
  /** Nobody takes from this lane. */
  readonly resting: number;
  /** Share of the calls that put. */
  readonly putShare: number;
}
export type Order = LoadOrder | { readonly do: 'stop' };
export type Report =
  | { readonly say: 'connected' }
  | { readonly say: 'back' }
  | { readonly say: 'history'; readonly calls: readonly Call[] };

const callers = 8;
/** Answers after a reconnection that make a client count as back. */
const backAfter = 40;

const say = (report: Report): void => void process.send?.(report);
/** The same clock in all processes of a machine, in nanoseconds. */
const now = (): number => Number(process.hrtime.bigint());

class Load {
  readonly #space: Space<Item>;
  readonly #client: number;
  #seq = 0;
  #calls: Call[] = [];
  #stopping = false;
  #done: Promise<unknown> = Promise.resolve();
  /** Answers to go until it is back; undefined when there was no reconnection since. */
  #untilBack: number | undefined;

  constructor(space: Space<Item>, client: number) {
    this.#space = space;
    this.#client = client;
  }

  resumed(): void {
    this.#untilBack = backAfter;
  }

  start(order: LoadOrder): void {
    const random = seededRandom(order.seed);
    this.#stopping = false;
    this.#calls = [];
    this.#done = Promise.all(Array.from({ length: callers }, () => this.#call(order, random)));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
    say({ say: 'history', calls: this.#calls });
  }

  async #call(order: LoadOrder, random: Random): Promise<void> {
    while (!this.#stopping) {
      const call = random() < order.putShare ? await this.#put(random) : await this.#take(order, random);
      this.#calls.push(call);
      if (call.outcome === 'done' && this.#untilBack !== undefined && --this.#untilBack === 0)
        say({ say: 'back' });
    }
  }

  async #put(random: Random): Promise<Put> {
    const count = random() < 0.8 ? 1 : between(random, 2, 9);
    const items = Array.from({ length: count }, (): Item => {
      return ['item', this.#client, ++this.#seq, between(random, 0, lanes)];
    });
    const started = now();
    const result = await outcomeOf(async (): Promise<Sighting[]> => {
      if (count > 1) {
        const ids = await this.#space.outMany(items);
        return items.map((item, at) => ({ item, id: ids[at] as number }));
      }
      const { id, position } = await this.#space.out(items[0] as Item);
      return [{ item: items[0] as Item, id, position: position as number }];
    });
    const made = result.answer ?? items.map(item => ({ item }));
    return { op: 'put', started, ended: now(), outcome: result.outcome, made };
  }

  async #take({ resting }: LoadOrder, random: Random): Promise<Take> {
    const lane = (resting + between(random, 1, lanes)) % lanes;
    const template = ['item', random() < 0.5 ? Number : this.#client, Number, lane] as const;
    const chance = random();
    const most = chance < 0.2 ? between(random, 1, 6) : 1;
    const timeout = between(random, 0, 30);
    const order = random() < 0.2 ? 'newest' : 'oldest';
    // Some callers lose their patience before the timeout.
    const patience = random() < 0.1 ? { signal: AbortSignal.timeout(between(random, 1, 10)) } : {};
    const started = now();
    const result = await outcomeOf(async (): Promise<Sighting[]> => {
      if (chance < 0.2) {
        const items = await this.#space.takeMany(template, { limit: most, timeout, ...patience });
        return items.map(item => ({ item }));
      }
      const options = { timeout, order, ...patience, entry: true } as const;
      const entry =
        chance < 0.6 ? await this.#space.take(template, options) : await this.#space.in(template, options);
      return entry ? [sighting(entry as Entry)] : [];
    });
    const took = result.answer ?? [];
    return { op: 'take', started, ended: now(), outcome: result.outcome, lane, most, took };
  }
}

const sighting = ({ tuple, id, position }: Entry): Sighting => ({
  item: tuple as unknown as Item,
  id,
  position: position as number,
});

async function outcomeOf<T>(call: () => Promise<T>): Promise<{ outcome: Call['outcome']; answer?: T }> {
  try {
    return { outcome: 'done', answer: await call() };
  } catch (error) {
    if (!(error instanceof TupletError)) throw error;
    return { outcome: error.outcome };
  }
}

const [url, client] = process.argv.slice(-2) as [string, string];
const connection = await connect(url, { minDelay: 10, maxDelay: 50 });
const load = new Load(connection.space<Item>('items'), Number(client));
connection.on('resumed', () => load.resumed());
process.on('message', (order: Order) => {
  if (order.do === 'load') load.start(order);
  else void load.stop();
});
// The parent is gone: nobody reads the record.
process.on('disconnect', () => process.exit(1));
say({ say: 'connected' });
