import type { ApiKeyView } from '@tallygate/contract/api/keys';
import { formatInstant } from '../../output/numbers.ts';
import type { Column } from '../../output/table.ts';
import { limitsText } from './key-limits.ts';

/** Whether the key works now. */
export function keyState(key: ApiKeyView, now: Date): 'active' | 'revoked' | 'expired' {
  if (key.revokedAt !== null) return 'revoked';
  return key.expiresAt !== null && Date.parse(key.expiresAt) <= now.getTime() ? 'expired' : 'active';
}

/** The columns of the list of keys. */
export function keyColumns(now: Date): Column<ApiKeyView>[] {
  return [
    { header: 'ID', value: (key) => key.id },
    { header: 'NAME', value: (key) => key.name },
    { header: 'PREFIX', value: (key) => key.prefix },
    { header: 'SCOPES', value: (key) => key.scopes.join(',') },
    { header: 'PROJECT', value: (key) => key.project.slug },
    { header: 'USER', value: (key) => key.user?.username ?? '-' },
    { header: 'LIMITS', value: (key) => limitsText(key.restrictions) },
    { header: 'STATE', value: (key) => keyState(key, now) },
    { header: 'EXPIRES (UTC)', value: (key) => formatInstant(key.expiresAt) },
    { header: 'LAST USED (UTC)', value: (key) => formatInstant(key.lastUsedAt) },
  ];
}
