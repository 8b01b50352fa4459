/** Setting that holds the pause of all traffic as JSON; absent while traffic flows. */
export const PAUSE_SETTING = 'traffic_pause';

/** Since when, why and at whose word no traffic passes. */
export interface TrafficPause {
  sinceMs: number;
  reason: string | null;
  by: string;
}

/** What an operator does to everything at once when something leaked. Each is one transaction. */
export interface IncidentStore {
  /** Revokes every key that is not revoked yet. Resolves with the ids of those. */
  revokeAllKeys(atMs: number): Promise<string[]>;
  /** Ends every session of every person. Resolves with their `idHash`es. */
  endAllSessions(): Promise<string[]>;
  readPause(): Promise<TrafficPause | null>;
  /** Null lets traffic through again. */
  writePause(pause: TrafficPause | null): Promise<void>;
}
