import { OAUTH_RETURN_PAGE } from '@tallygate/contract/api/oauth-paths';
import { signInOfState } from '../../pool/oauth/pkce.ts';

const MAX_CODE_CHARS = 4_096;

/** One value of a query; anything given twice counts as not given (RFC 6749 §3.1). */
function one(query: unknown, name: string): string {
  const value = typeof query === 'object' && query !== null ? (query as Record<string, unknown>)[name] : '';
  return typeof value === 'string' ? value : '';
}

/**
 * The page of the dashboard that goes on with what a provider sent (RFC 6749 §4.1.2). Code and state stand behind `#`,
 * where no server, log or referrer sees them again. Only that page, with the session of whoever began, completes it.
 */
export function pageForCallback(query: unknown): string {
  const [error, code, state] = ['error', 'code', 'state'].map((name) => one(query, name));
  const page = (fields: Record<string, string>) => `${OAUTH_RETURN_PAGE}#${new URLSearchParams(fields)}`;
  if (error) return page({ problem: /^[a-z_]{1,40}$/.test(error) ? error : 'refused' });
  const session = signInOfState(state ?? '');
  if (session === null || !code || code.length > MAX_CODE_CHARS) return page({ problem: 'incomplete' });
  return page({ session, code, state: state ?? '' });
}
