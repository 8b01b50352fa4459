import { RateEngine } from '@tallygate/server/limits/rate-engine';
import type { RateAsk, RateLimit, TokenAmounts } from '@tallygate/server/limits/rate-limit';
import type { RateLease } from '@tallygate/server/limits/rate-state';
import type { RequestSubject } from '@tallygate/server/limits/scope';

export const MINUTE = 60_000;

/** Three requests a minute for everybody, but for the changes. */
export const limit = (id: string, change: Partial<RateLimit> = {}): RateLimit => ({
  id,
  workspaceId: 'w',
  name: id,
  scope: [],
  per: 'all',
  measure: 'requests',
  limit: 3,
  windowMs: MINUTE,
  burst: null,
  ...change,
});
export const subject = (change: Partial<RequestSubject> = {}): RequestSubject => ({
  workspaceId: 'w',
  keyId: 'k',
  userId: 'ada',
  projectId: 'p',
  sessionId: 's',
  model: 'claude-sonnet-4-5',
  provider: 'anthropic',
  accountId: 'a',
  tags: [],
  ...change,
});
/** What a test changes of a request that asks. */
export type Change = Partial<Omit<RateAsk, 'subject' | 'address'>> & {
  of?: Partial<RequestSubject>;
  address?: string | null;
};
export const asking = ({ of, address = '192.0.2.1', ...change }: Change = {}): RateAsk => ({
  subject: subject(of),
  address: () => address,
  stream: false,
  requests: 1,
  nowMs: 0,
  ...change,
});

export function engineWith(...limits: RateLimit[]): RateEngine {
  const engine = new RateEngine();
  engine.replaceAll(limits);
  return engine;
}
export const tokens =
  (input: number, output = 0): (() => TokenAmounts) =>
  () => ({ input, output });
/** A bound that nobody may ask for. */
export function unasked(): TokenAmounts {
  throw new Error('the bound was asked for');
}
export const admit = (engine: RateEngine, change: Change = {}, bound = unasked) =>
  engine.admit(asking(change), bound);
export function leaseOf(decision: ReturnType<typeof admit>): RateLease {
  if (decision === null || !('lease' in decision)) throw new Error('not admitted');
  return decision.lease;
}
export const refusalOf = (decision: ReturnType<typeof admit>) =>
  decision !== null && 'refusal' in decision ? decision.refusal : null;
/** What a limit has counted. */
export const usedOf = (engine: RateEngine, id: string, nowMs = 0): number =>
  engine.standings(id, nowMs, 10).fullest.reduce((sum, standing) => sum + standing.used, 0);
