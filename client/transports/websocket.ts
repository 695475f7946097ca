/** Links over a WebSocket: the browser's, or one that looks like it. */
import { TupletError } from '../../shared/errors.js';
import { decodeFrame, encodeFrames } from '../../shared/framing.js';
import { Inbox, type LinkHandler } from '../../shared/link.js';
import type { ClientMessage, ServerMessage } from '../../shared/messages.js';
import type { ClientLink, Transport } from '../connection.js';

/** What we need of a WebSocket. */
export interface Socket {
  readonly bufferedAmount: number;
  readonly readyState: number;
  send(text: string): void;
  close(code: number, reason: string): void;
  addEventListener(type: 'open', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'error', listener: (event: { message?: string }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
}

const open = 1;
/** How long the server may take to confirm the end. */
const closeMs = 1_000;

/** The endpoint of a server's address: `http:` is taken for `ws:`, and a bare host gets the path of the endpoint. */
export function socketUrl(address: string): string {
  const url = new URL(address);
  url.protocol = url.protocol.replace('http', 'ws');
  if (url.pathname === '/') url.pathname = '/v1/ws';
  return url.href;
}

export const webSocketTransport =
  (create: (url: string) => Socket | Promise<Socket>): Transport =>
  async (address, signal) => {
    const socket = await create(socketUrl(address));
    const link = new SocketLink(socket);
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new TupletError('lost', `${address}: ${why}`));
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', event => fail(event.message || 'cannot be reached'));
      socket.addEventListener('close', event => fail(event.reason || `closed (${event.code})`));
      signal.addEventListener('abort', () => {
        socket.close(1000, 'gave up');
        fail('gave up');
      });
    });
    return link;
  };

class SocketLink implements ClientLink {
  readonly #socket: Socket;
  readonly #inbox = new Inbox<ServerMessage>();

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.addEventListener('message', event => this.#receive(event.data));
    socket.addEventListener('close', ({ code, reason }) => this.#inbox.end(reason || `closed (${code})`));
    socket.addEventListener('error', () => {});
  }

  get unsentBytes(): number {
    return this.#socket.bufferedAmount;
  }

  attach(handler: LinkHandler<ServerMessage>): void {
    this.#inbox.attach(handler);
  }

  #receive(data: unknown): void {
    try {
      const batch = decodeFrame(String(data)) as readonly ServerMessage[];
      if (!this.#inbox.deliver(batch)) this.close('backlog full');
    } catch (error) {
      this.close((error as Error).message);
    }
  }

  send(batch: readonly ClientMessage[]): void {
    if (this.#socket.readyState !== open) return;
    for (const frame of encodeFrames(batch)) this.#socket.send(frame);
  }

  close(reason: string): void {
    this.#socket.close(1000, reason.replace(/[^ -~]/g, '?').slice(0, 120));
    const timer = setTimeout(() => this.#inbox.end(reason), closeMs);
    this.#socket.addEventListener('close', () => clearTimeout(timer));
  }
}
