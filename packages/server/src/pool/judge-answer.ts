import type { AccountState } from './account-state.ts';
import { type LimitFacts, readInstant, readLimitHeaders, type WindowUse } from './rate-limit-headers.ts';

/** What an answer means for the account and for the call. */
export type Verdict =
  /** The upstream took the call, or it is the client's own mistake: nothing to try again. */
  | 'final'
  /** Another account may do better; this one will not for a while. */
  | 'limited'
  /** The upstream refused the account's credential. */
  | 'refused'
  /** A failure that may be gone in a moment. */
  | 'transient';

/** The answer as the pool sees it. */
export interface AnswerSeen {
  status: number;
  /** Flat list of lower-case name, value, of what `isLimitHeader` let through. */
  limits: readonly string[];
  model: string | null;
  nowMs: number;
}

/** What limits calls for good; seen in the seed systems and in the CLI of the provider (contract CF-06). */
const HARD: ReadonlySet<string> = new Set([
  'rejected',
  'rate_limited',
  'blocked',
  'queueing_hard',
  'payment_required',
]);
const SOFT: ReadonlySet<string> = new Set(['allowed_warning', 'queueing_soft']);
const SOFT_MS = 5 * 60_000;
/** Without credits nothing changes before somebody pays. */
const OUT_OF_CREDITS_MS = 60 * 60_000;
const FIRST_VAGUE_MS = 15_000;
const MAX_VAGUE_MS = 15 * 60_000;

/** True for statuses after which another attempt may make sense; 429, 401, 403, 402, 408 and all of 5xx but 501. */
export function mayTryElsewhere(status: number): boolean {
  if (status >= 500) return status !== 501 && status !== 505;
  return status === 429 || status === 401 || status === 403 || status === 402 || status === 408;
}

/** Takes in what every answer's headers say, whatever its status, and judges it. */
export function judgeAnswer(state: AccountState, seen: AnswerSeen): Verdict {
  const { status, limits, nowMs } = seen;
  const facts = limits.length === 0 ? null : readLimitHeaders(limits, nowMs);
  if (facts !== null && learn(state, facts, seen)) return 'limited';
  if (status === 429) return judgeTooMany(state, facts, seen);
  if (status === 402) return park(state, seen);
  if (status === 401 || status === 403) return 'refused';
  if (mayTryElsewhere(status)) return 'transient';
  if (status < 400) state.vagueLimits = 0;
  return 'final';
}

/** @returns true when the provider refused because of a limit over all windows */
function learn(state: AccountState, facts: LimitFacts, seen: AnswerSeen): boolean {
  const { nowMs } = seen;
  if (facts.windows.length > 0) state.learn(facts.windows, nowMs);
  if (facts.status === null) return false;
  const hard = HARD.has(facts.status);
  if (hard && mayTryElsewhere(seen.status)) {
    benchUnified(state, facts, seen);
    return true;
  }
  // Rejected and served all the same is paid overage: a warning, not a rest (CF-06).
  if (hard || SOFT.has(facts.status)) softly(state, facts, nowMs);
  else if (state.softUntilMs !== 0) state.softUntilMs = 0;
  return false;
}

function softly(state: AccountState, facts: LimitFacts, nowMs: number): void {
  state.softUntilMs = Math.max(facts.resetAtMs ?? 0, nowMs + SOFT_MS);
  state.changed = true;
}

function park(state: AccountState, { nowMs }: AnswerSeen): Verdict {
  state.bench(
    { model: null, family: false, untilMs: nowMs + OUT_OF_CREDITS_MS, reason: 'out_of_credits' },
    nowMs,
  );
  return 'limited';
}

/** Doubling for as long as the provider limits without saying until when. */
function vagueMs(state: AccountState): number {
  const ms = Math.min(FIRST_VAGUE_MS * 2 ** state.vagueLimits, MAX_VAGUE_MS);
  state.vagueLimits += 1;
  return ms;
}

/**
 * The part of a claim that names a family of models, when it does: `seven_day_opus` limits what has `opus` in its
 * name, `seven_day_overage_included` limits the account. Told by the model that was asked for, not by a list.
 */
function familyOf(name: string, model: string | null): string | null {
  const last = name.split('_').at(-1) ?? '';
  return model !== null && name.includes('_') && /^[a-z]{4,}$/.test(last) && model.includes(last)
    ? last
    : null;
}

/** The windows that a rejection stands on: those that say so, and of them those the claim is about. */
function rejecting(windows: readonly WindowUse[], family: string | null): WindowUse[] {
  const hard = windows.filter((window) => window.status !== null && HARD.has(window.status));
  return family === null ? hard : hard.filter((window) => window.name.endsWith(`_${family}`));
}

/** Rests the account, or the models of the claim, until the last of the windows that refuse; a reset far away is honoured. */
function benchUnified(state: AccountState, facts: LimitFacts, { model, nowMs }: AnswerSeen): void {
  const soleScoped = facts.windows.filter((window) => window.status !== null && HARD.has(window.status));
  const named = facts.claim ?? (soleScoped.length === 1 ? (soleScoped[0]?.name ?? '') : '');
  const family = familyOf(named, model);
  let untilMs = 0;
  for (const window of rejecting(facts.windows, family)) untilMs = Math.max(untilMs, window.resetAtMs ?? 0);
  if (untilMs <= nowMs) untilMs = facts.resetAtMs ?? 0;
  if (untilMs <= nowMs) untilMs = facts.retryAtMs ?? 0;
  if (facts.outOfCredits && untilMs <= nowMs) untilMs = nowMs + OUT_OF_CREDITS_MS;
  if (untilMs <= nowMs) untilMs = nowMs + vagueMs(state);
  const reason = facts.outOfCredits ? 'out_of_credits' : named || 'rejected';
  state.bench({ model: family, family: family !== null, untilMs, reason }, nowMs);
}

/** A 429 without a verdict over all windows: a limit when it says what or until when, else nothing but a busy upstream. */
function judgeTooMany(state: AccountState, facts: LimitFacts | null, { model, nowMs }: AnswerSeen): Verdict {
  let untilMs = facts?.retryAtMs ?? 0;
  let reason = 'retry_after';
  if (untilMs <= nowMs) {
    for (const window of facts?.windows ?? []) {
      if (window.remaining !== 0 || window.resetAtMs === null) continue;
      if (window.resetAtMs > untilMs) reason = window.name;
      untilMs = Math.max(untilMs, window.resetAtMs);
    }
  }
  if (facts?.outOfCredits && untilMs <= nowMs) {
    untilMs = nowMs + OUT_OF_CREDITS_MS;
    reason = 'out_of_credits';
  }
  if (untilMs > nowMs) {
    state.bench({ model, family: false, untilMs, reason }, nowMs);
    return 'limited';
  }
  return 'transient';
}

const NO_CREDIT = /insufficient_quota|out_of_credits|credit balance is too low|billing_hard_limit/;
const RETRY_DELAY = /"retryDelay"\s*:\s*"(\d+(?:\.\d+)?s)"/;

/**
 * Some providers say only in the body that there is no credit left (429 `insufficient_quota`) or when to come back
 * (`retryDelay` of google.rpc.RetryInfo).
 */
export function judgeRefusalBody(
  state: AccountState,
  seen: AnswerSeen & { body: string },
  verdict: Verdict,
): Verdict {
  if (NO_CREDIT.test(seen.body)) return park(state, seen);
  const delay = verdict === 'transient' && seen.status === 429 ? RETRY_DELAY.exec(seen.body)?.[1] : undefined;
  const untilMs = delay === undefined ? null : readInstant(delay, seen.nowMs);
  if (untilMs === null) return verdict;
  state.bench({ model: seen.model, family: false, untilMs, reason: 'retry_after' }, seen.nowMs);
  return 'limited';
}
