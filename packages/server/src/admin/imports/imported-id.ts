import { createHash } from 'node:crypto';

/**
 * The id that something of another system has here: always the same one, so that an import can be repeated. A UUID of
 * version 8 (RFC 9562 §5.8) made of a hash. The workspace is in it, so that nobody takes the ids another one would get.
 * @param at.workspaceId null where what is imported makes the workspace itself
 */
export function importedId(
  at: { source: string; workspaceId: string | null },
  kind: 'workspace' | 'account' | 'key' | 'event',
  ref: string,
): string {
  const parts = [at.source, kind, ref];
  const hex = createHash('sha256')
    .update(JSON.stringify(at.workspaceId === null ? parts : [at.workspaceId, ...parts]))
    .digest('hex');
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
