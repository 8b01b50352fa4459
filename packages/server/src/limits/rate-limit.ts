import type { LimitMeasure, LimitPer } from '@tallygate/contract/api/limits';
import type { RequestSubject, Scope } from './scope.ts';

/** A limit on how often, how much or how many at once. */
export interface RateLimit {
  id: string;
  /** Whose requests it counts; null for those of every workspace. */
  workspaceId: string | null;
  name: string;
  /** The requests it counts. */
  scope: Scope;
  /** Who has a count of their own; `all` counts everybody together. */
  per: LimitPer;
  measure: LimitMeasure;
  /** Requests, tokens, or how many at once; 0 lets nothing through. A safe integer. */
  limit: number;
  /** Null for what runs at once. */
  windowMs: number | null;
  /** What may come at once; null when the whole limit may. */
  burst: number | null;
}

/** A request as limits see it. */
export interface RateAsk {
  subject: RequestSubject;
  /** Asked for only where a limit counts by address: reading it is a system call. */
  address(): string | null;
  stream: boolean;
  /** How many requests it counts as: a batch costs its events. */
  requests: number;
  /** Monotonic milliseconds. */
  nowMs: number;
}

/** Tokens by direction. */
export interface TokenAmounts {
  input: number;
  output: number;
}

/** True where moving to another account changes what counts the request. */
export function dependsOnAccount({ scope, per }: RateLimit): boolean {
  return per === 'account' || scope.some(({ kind }) => kind === 'account' || kind === 'provider');
}

/** Whose count a request goes to; null when the request has none of those, and the limit does not apply. */
export function partitionOf(per: LimitPer, { subject, address }: RateAsk): string | null {
  switch (per) {
    case 'all':
      return '';
    case 'key':
      return subject.keyId;
    case 'user':
      return subject.userId;
    case 'project':
      return subject.projectId;
    case 'session':
      return subject.sessionId;
    case 'account':
      return subject.accountId;
    case 'address':
      return address();
  }
}
