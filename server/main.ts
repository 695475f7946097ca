/** The server as a process: where its settings come from, what it prints, which signals end it. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { invalid, TupletError } from '../shared/errors.js';
import { limits } from '../shared/limits.js';
import { schemaFault } from '../shared/operations.js';
import { type ServerOptions, startServer } from './server.js';

export interface Settings {
  readonly store?: string;
  readonly host?: string;
  readonly port?: number;
  readonly token?: string;
  /** Requests and faults as JSON lines on stderr. */
  readonly log?: boolean;
}

const settingsSchema = {
  type: 'object',
  properties: {
    store: { type: 'string' },
    host: { type: 'string' },
    port: { type: 'integer', minimum: 0, maximum: 65_535 },
    token: { type: 'string', minLength: 1 },
    log: { type: 'boolean' },
  },
  additionalProperties: false,
};
const isSettings = new Ajv2020({ strict: false }).compile<Settings>(settingsSchema);

/** Flags win over the environment (`TUPLET_PORT`, …), which wins over the file. Throws `invalid`, naming the setting. */
export function readSettings(flags: Settings, environment: NodeJS.ProcessEnv, file?: string): Settings {
  const settings = {
    ...fromFile(file ?? environment.TUPLET_CONFIG),
    ...fromEnvironment(environment),
    ...flags,
  };
  if (!isSettings(settings)) throw schemaFault(isSettings.errors?.[0]);
  return settings;
}

function fromFile(file: string | undefined): object {
  if (file === undefined) return {};
  try {
    const settings = JSON.parse(readFileSync(file, 'utf8')) as unknown;
    if (isSettings(settings)) return settings;
    throw schemaFault(isSettings.errors?.[0]);
  } catch (cause) {
    throw new TupletError('invalid', `config: ${file}: ${(cause as Error).message}`, {
      field: 'config',
      cause,
    });
  }
}

function fromEnvironment(environment: NodeJS.ProcessEnv): object {
  const {
    TUPLET_STORE: store,
    TUPLET_HOST: host,
    TUPLET_PORT: port,
    TUPLET_TOKEN: token,
    TUPLET_LOG: log,
  } = environment;
  if (port !== undefined && !/^\d{1,5}$/.test(port)) throw invalid('TUPLET_PORT', `${port} is not a port`);
  return {
    ...(store !== undefined && { store }),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port: Number(port) }),
    ...(token !== undefined && { token }),
    ...(log !== undefined && { log: log !== '' && log !== '0' && log !== 'false' }),
  };
}

/**
 * Runs a server until SIGTERM or SIGINT, and resolves with the status for the process to exit with: 0 after a clean end, 3 when the
 * storage failed. Prints one line with the address when it is ready. Rejects when it cannot start.
 */
export async function serve({ log, ...options }: Settings): Promise<number> {
  const started: ServerOptions = {
    ...options,
    logger: log ? { level: 'info', stream: process.stderr } : false,
  };
  const server = await startServer(started);
  const { store = 'sqlite:tuplet.db' } = options;
  process.stdout.write(`tuplet is ready at ${server.url} (store ${store.replace(/\/\/.*@/, '//')})\n`);
  const reason = await Promise.race([
    server.failed.then(error => ({ error })),
    endSignal().then(signal => ({ signal })),
  ]);
  if ('error' in reason) {
    process.stderr.write(`tuplet: the storage failed, stopping: ${(reason.error as Error).message}\n`);
  } else {
    process.stderr.write(`tuplet: ${reason.signal}, draining\n`);
  }
  await Promise.race([server.close().catch(() => {}), graceOver()]);
  return 'error' in reason ? 3 : 0;
}

const endSignal = (): Promise<string> =>
  new Promise(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });

const graceOver = (): Promise<void> =>
  new Promise(resolve => {
    setTimeout(resolve, limits.drainMs).unref();
  });
