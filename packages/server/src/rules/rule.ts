import type { RuleActions } from '@tallygate/contract/api/rules';

/** What rules see of a request. What has to be read out of the body is read only when a rule asks for it. */
export interface RuleSubject {
  keyId: string;
  projectId: string;
  model: string | null;
  atMs: number;
  /** A header's value; repeated ones are joined by a comma. */
  header(name: string): string | null;
  user(): string | null;
  system(): string;
  estimatedTokens(): number;
}

export interface Condition {
  /** For people: what has to hold. */
  text: string;
  holds(subject: RuleSubject): boolean;
}

/** A rule that is ready to be asked. */
export interface Rule {
  id: string;
  name: string;
  conditions: readonly Condition[];
  actions: RuleActions;
}
