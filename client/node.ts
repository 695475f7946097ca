/** The public door for Node: sockets of `ws`, and the engine inside the process. */
import { WebSocket } from 'ws';
import { type Client, type ConnectOptions, connectWith, socketSchemes } from './index.js';
import { inProcessTransport } from './transports/in-process.js';
import { type Socket, webSocketTransport } from './transports/websocket.js';

export * from './index.js';

const largestFrame = 256 * 1024 * 1024;

const connectAnywhere = connectWith({
  ...socketSchemes(
    webSocketTransport(
      url => new WebSocket(url, { perMessageDeflate: false, maxPayload: largestFrame }) as unknown as Socket,
    ),
  ),
  'memory:': inProcessTransport,
  'sqlite:': inProcessTransport,
});

/** Connects to the first of the addresses that answers: `ws:` `wss:` a server, `memory:` `sqlite:FILE` an engine in this process. */
export const connect = (
  address: string | readonly string[],
  options: ConnectOptions = {},
): Promise<Client> => {
  // A file that cannot be opened is told at once: waiting does not mend it.
  const local = typeof address === 'string' && !/^(ws|http)s?:/.test(address);
  return connectAnywhere(address, local ? { maxAttempts: 1, ...options } : options);
};
