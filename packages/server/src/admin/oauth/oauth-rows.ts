import { type OauthClient, oauthClientSchema } from '@tallygate/contract/api/oauth';
import { Secret } from '../../kernel/secret.ts';
import type { OauthTokens } from '../../pool/oauth/oauth-tokens.ts';
import type { AccountOauthRow } from '../../store/ports/oauth.ts';
import type { Vault } from '../../vault/vault.ts';

const contextOf = (accountId: string) => ({ table: 'account_oauth', row: accountId, column: 'secrets' });

interface SealedSecrets {
  accessToken: string;
  refreshToken: string | null;
  clientSecret: string | null;
  obtainedAtMs: number;
}

const secretOrNull = (text: string | null): Secret | null => (text === null ? null : new Secret(text));

/** Tokens as the store keeps them, all that is secret sealed into one value. */
export function toOauthRow(
  accountId: string,
  tokens: Omit<OauthTokens, 'version'>,
  vault: Vault,
): Omit<AccountOauthRow, 'version'> {
  const secrets: SealedSecrets = {
    accessToken: tokens.accessToken.reveal(),
    refreshToken: tokens.refreshToken?.reveal() ?? null,
    clientSecret: tokens.clientSecret?.reveal() ?? null,
    obtainedAtMs: tokens.obtainedAtMs,
  };
  return {
    accountId,
    client: JSON.stringify(tokens.client),
    sealedSecrets: vault.seal(new Secret(JSON.stringify(secrets)), contextOf(accountId)),
    expiresAtMs: tokens.expiresAtMs,
    reauthReason: tokens.reauthReason,
    updatedAtMs: tokens.obtainedAtMs,
  };
}

/**
 * The tokens that a row holds.
 * @throws Error when they do not open with the current master key
 */
export function openOauthRow(row: AccountOauthRow, vault: Vault): OauthTokens {
  const text = vault.open(row.sealedSecrets, contextOf(row.accountId)).reveal();
  const secrets = JSON.parse(text) as SealedSecrets;
  return {
    client: readClient(row.client),
    accessToken: new Secret(secrets.accessToken),
    refreshToken: secretOrNull(secrets.refreshToken),
    clientSecret: secretOrNull(secrets.clientSecret),
    obtainedAtMs: secrets.obtainedAtMs,
    expiresAtMs: row.expiresAtMs,
    version: row.version,
    reauthReason: row.reauthReason,
  };
}

/** The client that a row names. */
export function readClient(text: string): OauthClient {
  return oauthClientSchema.parse(JSON.parse(text));
}
