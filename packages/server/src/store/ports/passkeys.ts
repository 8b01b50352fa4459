/** A passkey: what proves that somebody holds the private key, which never leaves their device. */
export interface PasskeyRow {
  /** SHA-256 of the credential id, lower-case hex: credential ids are too long for a key column. */
  id: string;
  userId: string;
  /** As the authenticator gave it, base64url. */
  credentialId: string;
  /** COSE public key, base64url. */
  publicKey: string;
  /** The authenticator's counter at its last use; 0 where it keeps none. */
  signCount: number;
  /** Hints for the browser about how the authenticator is reached. */
  transports: string[];
  /** The host name it was made for; it works under no other. */
  rpId: string;
  /** What its owner calls it. */
  name: string;
  createdAtMs: number;
  lastUsedAtMs: number | null;
}

/** Passkeys of people. Every write is one transaction. */
export interface PasskeyStore {
  /** Oldest first. */
  listPasskeys(userId: string): Promise<PasskeyRow[]>;
  findPasskey(id: string): Promise<PasskeyRow | null>;
  /** With recovery codes (their hashes) where these are the first; false when the passkey is known already. */
  insertPasskey(row: PasskeyRow, codeHashes: readonly string[] | null): Promise<boolean>;
  renamePasskey(userId: string, id: string, name: string): Promise<boolean>;
  /** Writes a use down; false when the counter is no longer the one that was read: the other use counts. */
  usePasskey(row: PasskeyRow, use: { signCount: number; atMs: number }): Promise<boolean>;
  /** Writes down that a challenge was answered (its hash), and forgets those that ended; false when it was before. */
  spendChallenge(id: string, at: { nowMs: number; expiresAtMs: number }): Promise<boolean>;
  /** Takes the recovery codes along when no second factor is left. */
  deletePasskey(userId: string, id: string): Promise<boolean>;
  /** True when the user has a confirmed app or a passkey. */
  hasSecondFactor(userId: string): Promise<boolean>;
  /** Removes app, passkeys and recovery codes; true when there was one of them. */
  deleteSecondFactors(userId: string): Promise<boolean>;
}
