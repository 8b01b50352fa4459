/** Where a process counts what budgets have spent: where others see it too, by itself, or nowhere: it serves no models. */
export type CountsIn = 'shared' | 'self' | 'nothing';

export interface NodeBeat {
  /** Of the installation; stays the same over restarts. */
  id: string;
  /** Of this run of it. */
  process: string;
  roles: string;
  countsIn: CountsIn;
  version: string;
  startedAtMs: number;
  /** Without another beat it counts as gone after this long. */
  lifeMs: number;
}

export interface NodeRow extends Omit<NodeBeat, 'lifeMs'> {
  /** By the clock of the store. */
  expiresAtMs: number;
}

/** The processes that use the store right now. Who is alive is told by the store's clock alone. */
export interface NodeStore {
  /**
   * Says that this process lives. What it gives was read after that was written: of two processes that begin at the
   * same time at least one sees the other.
   */
  beat(node: NodeBeat): Promise<{
    /** Who else lives. */
    others: NodeRow[];
    /** The process that had this node's row before, when it still lived by its own account; else null. */
    replaced: string | null;
  }>;
  /** Says that this process ends. */
  leave(node: Pick<NodeBeat, 'id' | 'process'>): Promise<void>;
  /** Those that live. */
  listNodes(): Promise<NodeRow[]>;
  /** Removes rows of nodes that are gone for so long. */
  forgetNodes(goneForMs: number): Promise<number>;
}
