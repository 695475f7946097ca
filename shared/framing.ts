/** Bytes <-> messages, sans-IO: a frame is the JSON text of an array of messages. */
import { TupletError } from './errors.js';
import { parseJson } from './json.js';
import { limits } from './limits.js';

export const encodeFrame = (messages: readonly unknown[]): string => JSON.stringify(messages);

/** The messages of a frame, unchecked. Throws `invalid` or `too_large`: the frame is not ours, and the link ends. */
export function decodeFrame(text: string): readonly unknown[] {
  let frame: unknown;
  try {
    frame = parseJson(text);
  } catch (cause) {
    throw new TupletError('invalid', `frame: not JSON: ${(cause as Error).message}`, {
      field: 'frame',
      cause,
    });
  }
  if (!Array.isArray(frame))
    throw new TupletError('invalid', 'frame: not an array of messages', { field: 'frame' });
  if (frame.length > limits.frameMessages) {
    throw new TupletError('too_large', `frame: over ${limits.frameMessages} messages`, { field: 'frame' });
  }
  return frame;
}
