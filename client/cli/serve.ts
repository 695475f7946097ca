/** `tuplet serve`: the one command that needs the server's code, which it loads when it runs. */
import type { Settings } from '../../server/main.js';

/** Gives the status for the process to exit with. Throws `invalid` for bad settings, `unavailable` when it cannot start. */
export async function serve({ config, ...flags }: Settings & { readonly config?: string }): Promise<number> {
  const server = await import('../../server/main.js');
  return server.serve(server.readSettings(flags, process.env, config));
}
