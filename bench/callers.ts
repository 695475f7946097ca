/** Many calls under way at once: connections, and callers that share an amount of work. */
import { type Client, connect } from '../client/node.js';

export class Clients implements AsyncDisposable {
  private constructor(readonly all: readonly Client[]) {}

  static async connect(url: string, count: number): Promise<Clients> {
    return new Clients(await Promise.all(Array.from({ length: count }, () => connect(url))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map(client => client.close()));
  }
}

/** Does a task `times` times: `callers` callers for each client, each doing one after the other. The task is told which time it is. */
export async function share(
  { all }: Clients,
  { callers, times }: { readonly callers: number; readonly times: number },
  task: (client: Client, time: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const call = async (client: Client) => {
    while (next < times) await task(client, next++);
  };
  await Promise.all(all.flatMap(client => Array.from({ length: callers }, () => call(client))));
}
