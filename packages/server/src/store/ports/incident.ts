/** What an operator does to everything at once when something leaked. Each is one transaction. */
export interface IncidentStore {
  /** Revokes every key that is not revoked yet. Resolves with the ids of those. */
  revokeAllKeys(atMs: number): Promise<string[]>;
  /** Ends every session of every person. Resolves with their `idHash`es. */
  endAllSessions(): Promise<string[]>;
}
