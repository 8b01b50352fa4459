import type { OauthClient } from '@tallygate/contract/api/oauth';
import type { Secret } from '../../kernel/secret.ts';

/** The tokens of an account, opened. */
export interface OauthTokens {
  client: OauthClient;
  accessToken: Secret;
  /** Null when the provider gave none: the account ends with its access token. */
  refreshToken: Secret | null;
  clientSecret: Secret | null;
  obtainedAtMs: number;
  /** Null when the provider did not say. */
  expiresAtMs: number | null;
  /** Grows with every change. */
  version: number;
  /** The provider's error code, while nobody but a person can get new tokens. */
  reauthReason: string | null;
}

/** Where tokens are kept: shared by every process, so that one of them can refresh for all. */
export interface TokenStore {
  read(accountId: string): Promise<OauthTokens | null>;
  /** Puts new tokens in the place of those of `from`; false when somebody else changed them. */
  replace(accountId: string, from: OauthTokens, to: Omit<OauthTokens, 'version'>): Promise<boolean>;
}

/** The right to refresh an account's tokens alone, across processes. */
export interface RefreshTurns {
  /** Null while another process has it. The turn outlasts one call to the token endpoint. */
  take(accountId: string): Promise<{ end(): Promise<void> } | null>;
}
