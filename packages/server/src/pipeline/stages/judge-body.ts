import type { IncomingMessage } from 'node:http';
import type { Admission } from '../../limits/limit-state.ts';
import type { RateAdmission } from '../../limits/rate-state.ts';
import type { Call } from '../call.ts';
import { applyRules } from './apply-rules.ts';
import { assertCostsOnce, assertNamedOnce, assertOwnLetters } from './unambiguous.ts';

type Known = Pick<Call, 'route' | 'key' | 'snapshot' | 'facts' | 'sent' | 'startedAtMs' | 'routing'>;

/**
 * What is made of a body before an account is chosen: it must say one thing where something goes by it, and rules
 * apply to it. The parsed body is kept only where a budget or a limit may ask what it comes to.
 * @throws AppError `invalid_request`, or as `applyRules`
 */
export function judgeBody<K extends Known>(
  given: K,
  headers: IncomingMessage['headers'],
  { budgets, rates }: { budgets: Pick<Admission, 'active'>; rates: Pick<RateAdmission, 'active'> },
): K {
  const counted = budgets.active || rates.active;
  const rules = given.snapshot.rules?.get(given.key.workspaceId);
  const narrowed = rules !== undefined || given.key.limits?.models != null;
  if (counted || narrowed) assertOwnLetters(given.sent);
  if (narrowed) assertNamedOnce(given.sent);
  if (counted) assertCostsOnce(given.sent);
  const ruled = rules === undefined ? given : applyRules(given, rules, headers);
  if (!counted) ruled.sent.parsed = null;
  return ruled;
}
