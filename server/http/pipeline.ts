/**
 * The requests of one connection: done one after the other, as HTTP wants it of pipelined requests that change something.
 * That also lets a hang-up be seen: Node stops reading a connection, and so hears nothing of its end, while many answers are held back
 * behind one that is still waited for.
 */
import type { Socket } from 'node:net';
import { TupletError } from '../../shared/errors.js';

interface Line {
  length: number;
  last: Promise<unknown>;
}

/** Requests that a client may send ahead of its answers. */
const lineRequests = 64;
const lines = new WeakMap<Socket, Line>();

/** Does `act` when all that came before it on the connection is done. Throws `limit`. */
export async function inTurn<T>(socket: Socket, act: () => Promise<T>): Promise<T> {
  const line = lines.get(socket) ?? { length: 0, last: Promise.resolve() };
  lines.set(socket, line);
  if (line.length >= lineRequests) {
    throw new TupletError('limit', `${lineRequests} requests of this connection have no answer yet`);
  }
  const turn = line.length++ === 0 ? act() : line.last.then(act);
  line.last = turn.catch(() => {});
  try {
    return await turn;
  } finally {
    line.length--;
  }
}

/** Whether a request of this connection has no answer yet. */
export const isAwaiting = (socket: Socket): boolean => (lines.get(socket)?.length ?? 0) > 0;
