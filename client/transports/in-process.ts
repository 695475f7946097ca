/** Links to an engine in this process. The only file of the client that knows the server, and it loads it late. */
import type { Transport } from '../connection.js';

export const inProcessTransport: Transport = async address => {
  const { embeddedLink } = await import('../../server/embedded.js');
  return embeddedLink(address);
};
