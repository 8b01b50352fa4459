import type { Secret } from '../../kernel/secret.ts';
import { withBearer } from '../shared/bearer.ts';

const BETA_HEADER = 'anthropic-beta';
/** Without it the API takes no access token (NX-03). */
const OAUTH_BETA = 'oauth-2025-04-20';

const namesIn = (value: string): string[] =>
  value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

/**
 * The headers with an access token, and with the beta that goes with it: added to those that the client asks for,
 * whose order stays, and never in their place. A client that names it already keeps its header byte for byte.
 */
export function anthropicOauthHeaders(headers: readonly string[], accessToken: Secret): string[] {
  const merged: string[] = [];
  const betas = new Set<string>();
  let at = -1;
  let lines = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const [name = '', value = ''] = [headers[i], headers[i + 1]];
    if (name.toLowerCase() === BETA_HEADER) {
      for (const beta of namesIn(value)) betas.add(beta);
      lines += 1;
      if (at !== -1) continue;
      at = merged.length + 1;
    }
    merged.push(name, value);
  }
  if (at === -1) merged.push(BETA_HEADER, OAUTH_BETA);
  else if (lines > 1 || !betas.has(OAUTH_BETA)) merged[at] = [...betas.add(OAUTH_BETA)].join(',');
  return withBearer(merged, accessToken);
}
