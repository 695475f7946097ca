/** Carries messages over WebSockets, as a Fastify plugin; decides nothing. */
import websocket from '@fastify/websocket';
import type { FastifyPluginAsync } from 'fastify';
import type { WebSocket } from 'ws';
import { TupletError, toErrorMessage } from '../../shared/errors.js';
import { decodeFrame, encodeFrames } from '../../shared/framing.js';
import { limits } from '../../shared/limits.js';
import { Inbox, type Link, type LinkHandler } from '../../shared/link.js';
import type { ServerMessage } from '../../shared/messages.js';

export interface WebSocketOptions {
  /** A link for each connection; listening to it must begin at once. */
  readonly accept: (link: Link<unknown, ServerMessage>) => void;
}

/** How long a peer may take to close its side. */
const closeMs = 2_000;

export const webSocketTransport: FastifyPluginAsync<WebSocketOptions> = async (app, { accept }) => {
  await app.register(websocket, {
    options: {
      maxPayload: limits.frameBytes,
      perMessageDeflate: false,
      maxFragments: limits.frameFragments,
      skipUTF8Validation: false,
    },
  });
  for (const path of ['/', '/v1/ws']) {
    app.get(path, { websocket: true }, socket => accept(new SocketLink(socket)));
  }
};

class SocketLink implements Link<unknown, ServerMessage> {
  readonly #socket: WebSocket;
  readonly #inbox = new Inbox<unknown>();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary));
    socket.on('close', (code, reason) => this.#inbox.end(reason.toString() || `closed (${code})`));
    // A broken frame: `ws` closes the connection itself, and `close` follows.
    socket.on('error', () => {});
  }

  get unsentBytes(): number {
    return this.#socket.bufferedAmount;
  }

  attach(handler: LinkHandler<unknown>): void {
    this.#inbox.attach(handler);
  }

  #receive(data: Buffer, isBinary: boolean): void {
    try {
      if (isBinary) throw new TupletError('invalid', 'frame: is text', { field: 'frame' });
      if (!this.#inbox.deliver(decodeFrame(data.toString('utf8')))) this.close('backlog full');
    } catch (error) {
      if (!(error instanceof TupletError)) throw error;
      this.send([{ bye: toErrorMessage(error), again: false }]);
      this.close(error.message);
    }
  }

  send(batch: readonly ServerMessage[]): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    for (const frame of encodeFrames(batch)) this.#socket.send(frame);
  }

  close(reason: string): void {
    if (this.unsentBytes > limits.unsentBytes) return this.#socket.terminate();
    // A reason has at most 123 bytes on the wire.
    this.#socket.close(1000, reason.replace(/[^ -~]/g, '?').slice(0, 120));
    const timer = setTimeout(() => this.#socket.terminate(), closeMs);
    this.#socket.once('close', () => clearTimeout(timer));
  }
}
