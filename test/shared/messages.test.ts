import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { clientSchemas, protocolVersion } from '../../shared/messages.js';
import { argumentSchemas } from '../../shared/operations.js';

/**
 * What the wire looked like when this was last looked at. Where it no longer holds, the wire has changed: that means a new
 * protocol version or, before the first release, a new line in the history of docs/protocol.md. Then record the new hash here.
 */
const recorded = {
  protocolVersion: 1,
  sha256: 'cc8ab327dd64c2cf0946a4c71d62f1d75d90bd5fc91f94c209ce0216a7952369',
};

test('the schemas are those of the recorded protocol version', () => {
  const sha256 = createHash('sha256')
    .update(JSON.stringify([clientSchemas, argumentSchemas]))
    .digest('hex');
  expect({ protocolVersion, sha256 }).toEqual(recorded);
});
