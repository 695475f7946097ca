/**
 * What is under way on a connection, so that it can be abandoned when the client hangs up. Pipelined requests share a connection, and
 * only the one whose turn it is to be answered would hear the `close` of its response: so all listen to the socket, through one ear.
 */
import type { Socket } from 'node:net';
import { TupletError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';

const underWay = new WeakMap<Socket, Set<() => void>>();

/** Calls `abandon` if the connection ends. Returns a function that calls this off. Throws `limit`. */
export function onHangUp(socket: Socket, abandon: () => void): () => void {
  const calls = underWay.get(socket) ?? listen(socket);
  calls.add(abandon);
  return () => void calls.delete(abandon);
}

function listen(socket: Socket): Set<() => void> {
  const calls = new Set<() => void>();
  underWay.set(socket, calls);
  socket.once('close', () => {
    for (const abandon of calls) abandon();
  });
  return calls;
}

const count = (socket: Socket): number => underWay.get(socket)?.size ?? 0;

/** Whether a request of this connection has no answer yet. */
export const isAwaiting = (socket: Socket): boolean => count(socket) > 0;

/** Throws `limit` when a client pipelines more than a connection may have under way. */
export function checkPipeline(socket: Socket): void {
  if (count(socket) < limits.requestsPerConnection) return;
  throw new TupletError(
    'limit',
    `${limits.requestsPerConnection} requests of this connection have no answer yet`,
  );
}
