import { KEY_HEADERS } from '../kernel/key-headers.ts';

/**
 * Headers that no rule may set or remove: credentials, what belongs to one connection, what frames the body, and the
 * gate's own.
 */
const RESERVED = new Set([
  'authorization',
  ...KEY_HEADERS,
  'api-key',
  'cookie',
  'proxy-authorization',
  'proxy-authenticate',
  'proxy-connection',
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'accept-encoding',
]);

/** @param name in lower case */
export function mayRuleTouchHeader(name: string): boolean {
  return !RESERVED.has(name) && !name.startsWith('x-tallygate-');
}
