import type { Secret } from '../../kernel/secret.ts';

/** The headers with an access token, as RFC 6750 §2.1 has it. */
export function withBearer(headers: readonly string[], accessToken: Secret): string[] {
  return [...headers, 'authorization', `Bearer ${accessToken.reveal()}`];
}
