/** Bytes <-> messages, sans-IO: a frame is the JSON text of an array of messages. */
import { TupletError } from './errors.js';
import { parseJson } from './json.js';
import { limits } from './limits.js';

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

/** The frames of a batch: one, unless that would be over the bound; a message that is over it alone goes alone. */
export function encodeFrames(messages: readonly unknown[]): string[] {
  const frames: string[] = [];
  let parts: string[] = [];
  let length = 0;
  const close = () => frames.push(`[${parts.join(',')}]`);
  for (const message of messages) {
    const text = JSON.stringify(message);
    if (
      parts.length > 0 &&
      ((length + text.length) * 3 > limits.frameBytes || parts.length === limits.frameMessages)
    ) {
      close();
      [parts, length] = [[], 0];
    }
    parts.push(text);
    length += text.length;
  }
  if (parts.length > 0) close();
  return frames;
}
