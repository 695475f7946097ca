/** An engine with a store in memory, a clock and turns that stand still: a test asks, lets it settle, and looks at the answers. */
import { Engine } from '../../server/engine/engine.js';
import type { RequestKey, Result } from '../../server/engine/pending.js';
import { openSqlite } from '../../server/store/sqlite.js';
import type { Store } from '../../server/store/store.js';
import type { ErrorCode } from '../../shared/errors.js';
import type { Json } from '../../shared/json.js';
import { type Answers, type Op, parseRequest } from '../../shared/operations.js';
import { ManualClock } from './manual-clock.js';
import { Turns } from './turns.js';

/** A request of a test, and what came of it. */
export class Call<A> {
  readonly answers: Result[] = [];
  abandon: () => void = () => {};

  get open(): boolean {
    return this.answers.length === 0;
  }

  /** `open`, `ok`, or the code of the error. */
  get state(): 'open' | 'ok' | ErrorCode {
    const [answer] = this.answers;
    if (!answer) return 'open';
    return 'ok' in answer ? 'ok' : answer.error.code;
  }

  /** The answer; throws the error, if that is what came. */
  get value(): A {
    const [answer, ...more] = this.answers;
    if (!answer) throw new Error('not answered yet');
    if (more.length > 0) throw new Error('answered more than once');
    if ('error' in answer) throw answer.error;
    return answer.ok as A;
  }
}

export class EngineWorld {
  readonly clock = new ManualClock();
  readonly turns = new Turns();
  readonly faults: unknown[] = [];
  /** How many requests each batch had. */
  readonly batches: number[] = [];
  readonly store: Store;
  readonly engine: Engine;

  constructor(
    wrap: (store: Store, turns: Turns) => Store = store => store,
    kept: Store = openSqlite(':memory:'),
  ) {
    this.store = kept;
    this.engine = new Engine({
      store: wrap(kept, this.turns),
      clock: this.clock,
      defer: this.turns.defer,
      onFault: error => this.faults.push(error),
      onBatch: requests => this.batches.push(requests),
    });
  }

  ask<O extends Op>(op: O, space: string, values: object = {}, key?: RequestKey): Call<Answers[O]> {
    const call = new Call<Answers[O]>();
    call.abandon = this.engine.submit(
      parseRequest(op, space, values),
      answer => call.answers.push(answer),
      key,
    );
    return call;
  }

  /** Asks, and waits for the answer, which must come without the clock moving. */
  async get<O extends Op>(op: O, space: string, values: object = {}, key?: RequestKey): Promise<Answers[O]> {
    const call = this.ask(op, space, values, key);
    await this.turns.idle();
    return call.value;
  }

  async out(space: string, ...tuples: Json[][]): Promise<void> {
    for (const tuple of tuples) this.ask('out', space, { tuple });
    await this.turns.idle();
  }

  /** What there is, oldest first. */
  async tuples(space: string): Promise<Json[]> {
    const { entries } = await this.get('scan', space, { template: [{ $rest: true }], limit: 1000 });
    return entries.map(({ tuple }) => tuple as Json);
  }

  /** Moves the clock from timer to timer, letting the engine act upon each. */
  async advance(ms: number): Promise<void> {
    const { clock, turns } = this;
    const end = clock.now() + ms;
    await turns.idle();
    while (clock.next !== undefined && clock.next <= end) {
      clock.advance(Math.max(clock.next - clock.now(), 0));
      await turns.idle();
    }
    clock.advance(end - clock.now());
    await turns.idle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
  }
}
