import type { OauthClient } from '@tallygate/contract/api/oauth';
import type { AdminDeps } from '../admin-deps.ts';

/** The client that imported tokens are renewed with; null while the settings do not name one. */
export function importClient({
  oauth: { defaults },
}: {
  oauth: Pick<AdminDeps['oauth'], 'defaults'>;
}): OauthClient | null {
  const { enabled, clientId, tokenUrl, authorizeUrl, redirectUri, scopes, tokenFormat } = defaults;
  if (!enabled || clientId === null || tokenUrl === null) return null;
  return {
    clientId,
    tokenUrl,
    authorizeUrl,
    redirectUri,
    scopes: [...scopes],
    tokenFormat,
    authorizeParams: {},
  };
}
