/** The OAuth side of an account. What is secret is sealed, context `{table:'account_oauth', row:accountId, column:'secrets'}`. */
export interface AccountOauthRow {
  accountId: string;
  /** Where and as whom tokens are asked for: JSON text of the pool. */
  client: string;
  /** Vault text of the tokens and, where there is one, the client's secret. */
  sealedSecrets: string;
  /** When the access token ends; null when the provider did not say. */
  expiresAtMs: number | null;
  /** Grows with every change of the tokens; a write names the one it stands on. */
  version: number;
  /** Set while nobody but a person can get new tokens; the reason is the provider's error code. */
  reauthReason: string | null;
  updatedAtMs: number;
}

/** A sign-in under way. Its payload is sealed, context `{table:'oauth_session', row:id, column:'payload'}`. */
export interface OauthSessionRow {
  id: string;
  sealedPayload: string;
  createdAtMs: number;
  expiresAtMs: number;
}

export type OauthTokens = Pick<
  AccountOauthRow,
  'sealedSecrets' | 'expiresAtMs' | 'reauthReason' | 'updatedAtMs'
>;

/** OAuth accounts and the sign-ins that make them. */
export interface OauthStore {
  listAccountOauth(): Promise<AccountOauthRow[]>;
  findAccountOauth(accountId: string): Promise<AccountOauthRow | null>;
  /** Gives an account its OAuth side, or another one; the version goes on from the one before. */
  putAccountOauth(row: Omit<AccountOauthRow, 'version'>): Promise<void>;
  /** Changes the tokens if they are still those of `version`; false when somebody else changed them. */
  updateOauthTokens(accountId: string, version: number, change: OauthTokens): Promise<boolean>;
  insertOauthSession(row: OauthSessionRow): Promise<void>;
  countOauthSessions(): Promise<number>;
  /** Takes the session out of the store: whoever asks a second time gets nothing. */
  takeOauthSession(id: string): Promise<OauthSessionRow | null>;
  deleteExpiredOauthSessions(nowMs: number): Promise<number>;
}
