/** What each command on a space asks, prints, and ends with. Arguments are read first, so that a slip costs no connection. */
import { limits } from '../../shared/limits.js';
import { checkName } from '../../shared/tuple.js';
import type { OutOptions, ScanPage, Space, WaitOptions } from '../node.js';
import { print } from './output.js';
import { showProgress } from './progress.js';
import { type Put, putLines } from './put-lines.js';
import { OutputClosed, OutputFailed, status, UsageError } from './status.js';
import { everything, readTemplate, readTuple, readTuples } from './template-text.js';
import { type ClientOptions, withClient } from './with-client.js';

type Wait = ClientOptions & Omit<WaitOptions, 'signal'> & { readonly entry?: boolean };
type PutOptions = ClientOptions & Pick<OutOptions, 'ttl' | 'delay'>;

export async function out(
  name: string,
  text: string,
  options: PutOptions & { unless?: string },
): Promise<number> {
  const timing = timingOf(options);
  if (text === '-') return outLines(name, options, timing);
  const tuple = readTuple(text);
  const unless = options.unless === undefined ? undefined : readTemplate(options.unless, 'unless');
  return withSpace(name, options, async (space, signal) => {
    const answer = unless
      ? await space.out(tuple, { ...timing, unless, signal })
      : await space.out(tuple, { ...timing, signal });
    await print(answer);
    return 'created' in answer ? status.noMatch : status.ok;
  });
}

async function outLines(
  name: string,
  options: PutOptions & { unless?: string },
  timing: Pick<OutOptions, 'ttl' | 'delay'>,
) {
  if (options.unless !== undefined) throw new UsageError('unless: goes with one tuple, not with -');
  return withSpace(name, options, async (space, signal) => {
    const put = await putStdin(tuples => space.outMany(tuples, timing), signal);
    await print({ tuples: put });
    return status.ok;
  });
}

async function putStdin(put: Put, signal: AbortSignal): Promise<number> {
  using progress = await showProgress();
  return await putLines(process.stdin, put, { signal, onPut: tally => progress.show(tally) });
}

export async function outMany(name: string, text: string, options: PutOptions): Promise<number> {
  const tuples = readTuples(text);
  return withSpace(name, options, async (space, signal) => {
    const ids = await space.outMany(tuples, { ...timingOf(options), signal });
    await print(...ids.map(id => ({ id })));
    return status.ok;
  });
}

const timingOf = ({ ttl, delay }: PutOptions): Pick<OutOptions, 'ttl' | 'delay'> => ({
  ...(ttl !== undefined && { ttl }),
  ...(delay !== undefined && { delay }),
});

export const waitOrLook =
  (op: 'in' | 'rd' | 'take' | 'read') =>
  async (name: string, text: string, { timeout, order, entry, ...options }: Wait): Promise<number> => {
    const template = readTemplate(text);
    const wanted = { ...(timeout !== undefined && { timeout }), ...(order !== undefined && { order }) };
    return withSpace(name, options, async (space, signal) => {
      // The four are called alike; TypeScript cannot see it through their overloads.
      const calls: Record<typeof op, Space['read']> = space;
      const found = await calls[op](template, { ...wanted, signal, entry: true });
      if (found === null) return status.noMatch;
      const printed = print(entry ? found : found.tuple);
      await (op === 'in' || op === 'take' ? mustBePrinted(printed) : printed);
      return status.ok;
    });
  };

export async function takeMany(
  name: string,
  text: string,
  { limit, timeout, ...options }: ClientOptions & { limit?: number; timeout?: number },
): Promise<number> {
  const template = readTemplate(text);
  const wanted = { ...(limit !== undefined && { limit }), ...(timeout !== undefined && { timeout }) };
  return withSpace(name, options, async (space, signal) => {
    const tuples = await space.takeMany(template, { ...wanted, signal });
    await mustBePrinted(print(...tuples));
    return tuples.length > 0 ? status.ok : status.noMatch;
  });
}

/** A reader that goes away from a scan has seen enough; one that goes away before it has what was taken has not. */
async function mustBePrinted(printed: Promise<void>): Promise<void> {
  try {
    await printed;
  } catch (error) {
    if (!(error instanceof OutputClosed)) throw error;
    throw new OutputFailed('stdout was closed before all that was taken was written');
  }
}

/** Prints page after page, each when the reader of stdout has the one before. */
export async function scan(
  name: string,
  text: string | undefined,
  { limit = Number.POSITIVE_INFINITY, after, entry, ...options }: ClientOptions & Scan,
): Promise<number> {
  const template = text === undefined ? everything : readTemplate(text);
  return withSpace(name, options, async (space, signal) => {
    let [printed, next]: [number, number | null | undefined] = [0, after];
    do {
      const page: ScanPage<readonly unknown[]> = await space.scan(template, {
        limit: Math.min(limit - printed, limits.scanEntries),
        ...(next !== undefined && { after: next }),
        signal,
      });
      await print(...page.entries.map(one => (entry ? one : one.tuple)));
      printed += page.entries.length;
      next = page.next;
    } while (next !== null && printed < limit);
    return printed > 0 ? status.ok : status.noMatch;
  });
}

interface Scan {
  readonly limit?: number;
  readonly after?: number;
  readonly entry?: boolean;
}

/** Prints events until it is interrupted, or the reader of stdout has seen enough. */
export async function watch(
  name: string,
  text: string | undefined,
  { after, ...options }: ClientOptions & { after?: number },
): Promise<number> {
  const template = text === undefined ? everything : readTemplate(text);
  return withSpace(name, options, async (space, signal) => {
    const from = after === undefined ? {} : { after };
    for await (const event of space.watch(template, { ...from, signal })) await print(event);
    return status.ok;
  });
}

export async function count(name: string, text: string | undefined, options: ClientOptions): Promise<number> {
  const template = text === undefined ? everything : readTemplate(text);
  return withSpace(name, options, async (space, signal) => {
    await print(await space.count(template, { signal }));
    return status.ok;
  });
}

function withSpace(
  name: string,
  options: ClientOptions,
  work: (space: Space, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  checkName(name, 'space');
  return withClient(options, (client, signal) => work(client.space(name), signal));
}
