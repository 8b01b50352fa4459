/** What a limit or a budget can watch. `value` is an id, a name, a tag or a `*` pattern of models. */
export type ScopeKind = 'project' | 'key' | 'user' | 'session' | 'provider' | 'account' | 'model' | 'tag';

export interface ScopePart {
  kind: ScopeKind;
  value: string;
}

/** All parts have to match; without any it is the whole workspace. */
export type Scope = readonly ScopePart[];

/** What of a request decides which limits it falls under. */
export interface RequestSubject {
  workspaceId: string;
  keyId: string | null;
  userId: string | null;
  projectId: string;
  sessionId: string | null;
  model: string | null;
  provider: string;
  accountId: string | null;
  tags: readonly string[];
}
