import type { TokenCounts } from '@tallygate/contract/usage';
import { totalInputTokens, totalOutputTokens } from '../../accounting/weighted-tokens.ts';
import { AppError } from '../../kernel/errors.ts';
import type { RateQuestion } from '../../limits/joint-admission.ts';
import type { RateAsk, RateLimit, TokenAmounts } from '../../limits/rate-limit.ts';
import type {
  RateAdmission,
  RateDecision,
  RateLease,
  RateRefusal,
  UndoMove,
} from '../../limits/rate-state.ts';
import type { Call } from '../call.ts';
import { callBound } from '../call-bound.ts';
import { type LimitTelling, limitHeaders } from './limit-headers.ts';

/** What will never be free may be changed by a person: worth another look in an hour. */
const NEVER_RETRY_SECONDS = 3_600;

/** Tokens by direction: what is not output was sent, or read from a cache. */
export function tokenAmounts(counts: TokenCounts): TokenAmounts {
  return { input: totalInputTokens(counts), output: totalOutputTokens(counts) };
}

function askOf(call: Call, nowMs: number): RateAsk {
  const { account, facts, key } = call;
  return {
    subject: {
      workspaceId: key.workspaceId,
      keyId: key.id,
      userId: key.userId,
      projectId: key.projectId,
      sessionId: facts.sessionId,
      model: facts.model,
      provider: account.adapter.id,
      accountId: account.id,
      tags: call.tags,
    },
    address: call.address,
    stream: facts.stream,
    requests: 1,
    nowMs,
  };
}

/** The most tokens a call can come to; none for calls that are not metered. */
function boundOf(call: Call): TokenAmounts {
  if (!call.route.metered) return { input: 0, output: 0 };
  const { bound } = callBound(call);
  return tokenAmounts(bound.tokenCounts(bound.outputTokens));
}

const UNITS: Readonly<Record<string, string>> = {
  requests: 'requests',
  tokens: 'tokens',
  input_tokens: 'input tokens',
  output_tokens: 'output tokens',
  concurrent_requests: 'requests at once',
  concurrent_streams: 'streams at once',
};

function limitText({ id, limit, measure, per, windowMs }: RateLimit): string {
  const every =
    windowMs === null
      ? ''
      : ` in ${windowMs % 60_000 === 0 ? `${windowMs / 60_000} minutes` : `${windowMs} ms`}`;
  const whose = per === 'all' ? '' : ` for each ${per}`;
  return `${limit} ${UNITS[measure] ?? measure}${every}${whose} (id ${id})`.replace(
    'in 1 minutes',
    'a minute',
  );
}

/** The error for a refusal: which limit, what was needed, and when to come again. */
function refusalError(refusal: RateRefusal, call: Call, telling: LimitTelling): AppError {
  const { limit, needed, retryAfterMs, standings } = refusal;
  const retryAfterSeconds =
    retryAfterMs === null ? NEVER_RETRY_SECONDS : Math.max(1, Math.ceil(retryAfterMs / 1000));
  const need = limit.measure.endsWith('tokens') ? ` This request may come to ${needed}.` : '';
  const when = retryAfterMs === null ? '' : ` Try again in ${retryAfterSeconds} seconds.`;
  return new AppError('rate_limited', {
    detail: `A limit is reached: ${limitText(limit)}.${need}${when}`,
    retryAfterSeconds,
    headers: limitHeaders(standings, telling, call.route.dialect),
  });
}

/** What limits are asked about a call. */
export function rateQuestion(call: Call, monotonicMs: number): RateQuestion {
  return { ask: askOf(call, monotonicMs), bound: () => boundOf(call) };
}

/**
 * What a decision of the limits means for a call.
 * @returns null when none covers it
 * @throws AppError `rate_limited`
 */
export function leased(call: Call, decision: RateDecision, telling: LimitTelling): RateLease | null {
  if (decision === null) return null;
  if ('refusal' in decision) throw refusalError(decision.refusal, call, telling);
  return decision.lease;
}

/**
 * Counts a call in every limit that covers it.
 * @returns null when none does
 * @throws AppError `rate_limited`, then it counts nowhere; a promise rejects with the same
 */
export function admitRate(
  rates: RateAdmission,
  call: Call,
  telling: LimitTelling,
): RateLease | null | Promise<RateLease | null> {
  const decision = rates.admit(askOf(call, telling.monotonicMs), () => boundOf(call));
  if (decision instanceof Promise) return decision.then((later) => leased(call, later, telling));
  return leased(call, decision, telling);
}

/**
 * Asks again for the account that the call names now, which may fall under other limits.
 * @returns what takes it back; null when there is no room, and everything is as it was
 */
export function moveRate(
  rates: RateAdmission,
  call: Call,
  monotonicMs: number,
): UndoMove | Promise<UndoMove> {
  const ask = askOf(call, monotonicMs);
  if (call.lease !== null) return rates.move(call.lease, ask, () => boundOf(call));
  const taken = (decision: RateDecision): UndoMove => {
    if (decision === null) return () => undefined;
    if ('refusal' in decision) return null;
    const { lease } = decision;
    call.lease = lease;
    return () => {
      lease.refund(monotonicMs);
      call.lease = null;
    };
  };
  const decision = rates.admit(ask, () => boundOf(call));
  return decision instanceof Promise ? decision.then(taken) : taken(decision);
}
