/** Rows to be stripped of what tells who made them. */
export interface RedactionQuery {
  workspaceId: string;
  /** A request is meant with its sub-calls. */
  by: { kind: 'tag' | 'session' | 'request'; value: string };
  fromMs: number | null;
  /** Exclusive. */
  toMs: number | null;
}

export interface RedactionStore {
  /** Rows that have something left to remove. */
  countRedactable(query: RedactionQuery): Promise<number>;
  /**
   * Removes tags, sessions and conversations of the rows, in batches of one transaction each, and nothing else: sums
   * and money stay. Returns how many rows had something; none the second time.
   */
  redact(query: RedactionQuery): Promise<number>;
}
