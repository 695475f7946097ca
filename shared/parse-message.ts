/** The check of what a client says. Apart from messages.ts, so that clients do without a JSON Schema compiler. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { invalid } from './errors.js';
import { isObject } from './json.js';
import { type ClientMessage, clientSchemas, type RequestMessage } from './messages.js';
import { schemaFault } from './operations.js';

const ajv = new Ajv2020({ strict: false, strictNumbers: true });
const validators = {
  hello: ajv.compile(clientSchemas.hello),
  abandon: ajv.compile(clientSchemas.abandon),
  receipt: ajv.compile(clientSchemas.receipt),
  pong: ajv.compile(clientSchemas.pong),
};

/** Checks a message of a client, save the arguments of a request. Throws `invalid`: such a peer does not speak our protocol. */
export function parseClientMessage(value: unknown): ClientMessage {
  if (!isObject(value)) throw invalid('message', 'is an object');
  if ('op' in value) return checkRequest(value);
  const kind = (Object.keys(validators) as (keyof typeof validators)[]).find(key => key in value);
  if (!kind) throw invalid('message', `has none of the keys op, ${Object.keys(validators).join(', ')}`);
  const validate = validators[kind];
  if (!validate(value)) throw schemaFault(validate.errors?.[0]);
  return value as unknown as ClientMessage;
}

function checkRequest(value: Record<string, unknown>): RequestMessage {
  const { n } = value;
  if (!Number.isSafeInteger(n) || (n as number) < 1) throw invalid('n', 'is a whole number from 1 on');
  return value as unknown as RequestMessage;
}
