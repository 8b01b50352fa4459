import type { Attempt } from '../accounting/usage-event.ts';
import { type Call, requestedModel } from './call.ts';
import type { ExchangeFacts } from './exchange-facts.ts';
import type { Outcome } from './outcome.ts';

/** The row of one attempt: the account it went to, and how it ended. */
export function attemptRow(call: Call, facts: ExchangeFacts, outcome: Outcome): Attempt {
  return {
    index: call.past.length,
    accountId: call.account.id,
    provider: call.account.adapter.id,
    startedAtMs: facts.dispatchedAtMs,
    firstByteAtMs: facts.firstByteAtMs,
    endedAtMs: facts.endedAtMs,
    httpStatus: facts.httpStatus,
    outcome: outcome.attempt,
    errorCode: outcome.errorCode,
    upstreamRequestId: facts.upstreamRequestId,
    model: call.facts.model === requestedModel(call) ? null : call.facts.model,
    chosenBy: call.chosenBy,
  };
}

/** Every attempt of a call that ends now: those given up, and the one under way. */
export function attemptRows(call: Call, facts: ExchangeFacts, outcome: Outcome): Attempt[] {
  return call.waiting ? [...call.past] : [...call.past, attemptRow(call, facts, outcome)];
}
