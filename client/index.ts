/** The public door, safe for browsers: `connect`, the formals, the error. The door for Node, node.ts, knows more kinds of addresses. */
import { systemClock } from '../shared/clock.js';
import { TupletError } from '../shared/errors.js';
import { Client } from './client.js';
import { Connection, type ConnectionOptions, type Transport } from './connection.js';
import { type Socket, webSocketTransport } from './transports/websocket.js';

export { type ErrorCode, errorTable, type Outcome, TupletError } from '../shared/errors.js';
export type { Json } from '../shared/json.js';
export type { Entry, EventType, Explanation, Order, SpaceState } from '../shared/operations.js';
export type { Tuple } from '../shared/tuple.js';
export type { Client } from './client.js';
export type { ConnectionOptions as ConnectOptions } from './connection.js';
export type { ClientEvents } from './events.js';
export {
  type AnyOf,
  any,
  anyOf,
  eq,
  type Formal,
  gt,
  gte,
  has,
  integer,
  lt,
  lte,
  ne,
  not,
  oneOf,
  or,
  pattern,
  prefix,
  type Rest,
  range,
  rest,
  schema,
  type TupleOf,
} from './formals.js';
export type { EntryOf, OutAnswer, OutOptions, Scan, ScanPage, Space, Unmade, WaitOptions } from './space.js';
export type { WatchEventOf, Watching } from './watching.js';

/** Transports by URL scheme. */
export type Transports = Readonly<Record<string, Transport>>;

const native = webSocketTransport(url => {
  const { WebSocket } = globalThis as { WebSocket?: new (url: string) => Socket };
  if (!WebSocket)
    throw new TupletError('invalid', 'there is no WebSocket here: import tuplet, not tuplet/client');
  return new WebSocket(url);
});

export const socketSchemes = (transport: Transport): Transports => ({
  'ws:': transport,
  'wss:': transport,
  'http:': transport,
  'https:': transport,
});

/** `connect` for a set of transports. */
export const connectWith =
  (transports: Transports) =>
  async (address: string | readonly string[], options: ConnectionOptions = {}): Promise<Client> => {
    const addresses = typeof address === 'string' ? [address] : address;
    if (addresses.length === 0) throw new TupletError('invalid', 'url: there is none', { field: 'url' });
    for (const one of addresses) transportFor(transports, one);
    const connection = new Connection(options, {
      addresses,
      transport: (one, signal) => transportFor(transports, one)(one, signal),
      clock: systemClock,
      random: Math.random,
    });
    await connection.open();
    return new Client(connection);
  };

function transportFor(transports: Transports, address: string): Transport {
  const [scheme = ''] = /^[a-z]+:/.exec(address) ?? [];
  const transport = transports[scheme];
  if (transport) return transport;
  const known = Object.keys(transports).join(' ');
  throw new TupletError('invalid', `url: ${address} begins with none of ${known}`, { field: 'url' });
}

/** Connects to the first of the addresses that answers. Rejects when there is none. */
export const connect = connectWith(socketSchemes(native));
