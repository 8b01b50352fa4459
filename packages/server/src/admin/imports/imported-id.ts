import { createHash } from 'node:crypto';

/**
 * The id that something of another system has here: always the same one, so that an import can be repeated. A UUID of
 * version 8 (RFC 9562 §5.8) made of a hash.
 */
export function importedId(
  source: string,
  kind: 'workspace' | 'account' | 'key' | 'event',
  ref: string,
): string {
  const hex = createHash('sha256')
    .update(JSON.stringify([source, kind, ref]))
    .digest('hex');
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
