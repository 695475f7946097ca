/** Samples and what is said of them: medians, ranges, and ratios of runs that were made in turn. */

/** One thing that a workload measures: a sample for each repetition. */
export interface Figure {
  readonly what: string;
  readonly unit: string;
  readonly samples: readonly number[];
  /** The bound that must hold for the median, if there is one. */
  readonly required?: { readonly least: number } | { readonly most: number };
}

export interface Workload {
  readonly name: string;
  /** What runs, and how many calls are under way: without that, rates say nothing. */
  readonly about: string;
  run(bench: Bench): Promise<readonly Figure[]>;
}

/** What a workload is given. */
export interface Bench {
  /** For its files; it is deleted at the end. */
  readonly directory: string;
  readonly repetitions: number;
  /** A size, or a tenth of it in a quick run. */
  scale(size: number): number;
  /** Tells whoever is watching how far it is. */
  note(text: string): void;
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}

export function percentile(samples: readonly number[], percent: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

export const ratios = (over: readonly number[], under: readonly number[]): number[] =>
  over.map((sample, at) => sample / (under[at] as number));

/** Milliseconds that a task takes. */
export async function timed(task: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await task();
  return performance.now() - started;
}

/** Runs a task once to warm up, then once for each sample. */
export async function repeat(bench: Bench, name: string, sample: () => Promise<number>): Promise<number[]> {
  const samples: number[] = [];
  for (let run = 0; run <= bench.repetitions; run++) {
    bench.note(run === 0 ? `${name}: warming up` : `${name}: ${run} of ${bench.repetitions}`);
    const value = await sample();
    if (run > 0) samples.push(value);
  }
  return samples;
}

/** So many short turns make one sample. */
const turns = 4;

/** Two tasks in turn, each first every other time, and often: what the machine does meanwhile befalls both. Samples are means of turns. */
export async function inTurn(
  bench: Bench,
  name: string,
  [left, right]: readonly [() => Promise<number>, () => Promise<number>],
): Promise<readonly [number[], number[]]> {
  const rights: number[] = [];
  const lefts = await repeat(bench, name, async () => {
    let [leftSum, rightSum] = [0, 0];
    for (let turn = 0; turn < turns; turn++) {
      if (turn % 2 === 0) leftSum += await left();
      rightSum += await right();
      if (turn % 2 === 1) leftSum += await left();
    }
    rights.push(rightSum / turns);
    return leftSum / turns;
  });
  // The first was the warm-up.
  return [lefts, rights.slice(1)];
}

/** Throws when a workload did not do what it is measured by. */
export function verify(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Error(`wrong result: ${message}`);
}
