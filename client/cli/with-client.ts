/**
 * A command's time with the server.
 * - It is connected to once: a command that cannot reach its server says so at once, and does not try again.
 * - SIGINT and SIGTERM abort what waits. The server decides: if it had taken a tuple already, that is printed as if no signal had come.
 *   A second signal ends the process as it would any other.
 * - The client is closed, which sends the last receipt, only after the command has written all that it has to say. Where stdout
 *   does not take it there is no receipt: nobody has seen the answer.
 */
import { type Client, connect, TupletError } from '../node.js';
import { Interrupted, OutputFailed } from './status.js';

export interface ClientOptions {
  readonly url?: readonly string[];
  readonly token?: string;
}

export const defaultUrl = 'ws://127.0.0.1:7070';

/** Runs `work` with a client, and gives the status that it gives. Throws what it throws, `Interrupted` if a signal ended it. */
export async function withClient(
  { url = [], token }: ClientOptions,
  work: (client: Client, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  // An empty TUPLET_URL is as good as none.
  const addresses = url.length > 0 ? url : [defaultUrl];
  const client = await connect(addresses, { maxAttempts: 1, ...(token !== undefined && { token }) });
  const interruption = new AbortController();
  const interrupt = (signal: 'SIGINT' | 'SIGTERM') => interruption.abort(new Interrupted(signal));
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    const status = await work(client, interruption.signal);
    await client.close();
    return status;
  } catch (error) {
    if (!(error instanceof OutputFailed)) await client.close();
    if (error instanceof TupletError && error.code === 'aborted' && interruption.signal.aborted) {
      throw interruption.signal.reason;
    }
    throw error;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}
