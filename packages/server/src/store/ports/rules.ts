/** A rule of the gate; `conditions` and `actions` are JSON text of the shapes in the contract's `api/rules`. */
export interface RuleRow {
  id: string;
  workspaceId: string;
  name: string;
  enabled: boolean;
  conditions: string;
  actions: string;
  createdAtMs: number;
}

/** Rules in the order in which they are tried. */
export interface RuleStore {
  /** Null lists those of every workspace. */
  listRules(workspaceId: string | null): Promise<RuleRow[]>;
  /** Goes to the end. @throws AppError `name_taken` */
  insertRule(row: RuleRow): Promise<void>;
  /** @throws AppError `name_taken` */
  updateRule(
    id: string,
    change: Partial<Pick<RuleRow, 'name' | 'enabled' | 'conditions' | 'actions'>>,
  ): Promise<boolean>;
  /** Puts a workspace's rules in this order, in one transaction; those it does not name follow in the order they had. */
  orderRules(workspaceId: string, ids: readonly string[]): Promise<void>;
  deleteRule(id: string): Promise<boolean>;
}
