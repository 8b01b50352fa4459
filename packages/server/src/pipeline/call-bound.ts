import { RequestBound } from '../accounting/request-bound.ts';
import type { RequestShape } from '../accounting/request-shape.ts';
import type { PoolAccount } from '../pool/pool.ts';
import type { Call } from './call.ts';

/** The most a call can come to, and what it was reckoned for. */
export interface CallBound {
  account: PoolAccount;
  model: string | null;
  body: Buffer | null;
  shape: RequestShape;
  bound: RequestBound;
}

/** Reckons the bound of a call anew, for input of a shape. */
export function boundOfShape(
  { account, facts, snapshot, startedAtMs }: Call,
  shape: RequestShape,
): RequestBound {
  const question = { provider: account.priceProvider, model: facts.model, atMs: startedAtMs };
  return new RequestBound(snapshot.prices, question, shape);
}

/** The bound of a call at the account it names now: walked and reckoned once, for limits and budgets alike. */
export function callBound(call: Call): CallBound {
  const { account, body, facts, headers, reckoned } = call;
  if (
    reckoned !== null &&
    reckoned.account === account &&
    reckoned.body === body &&
    reckoned.model === facts.model
  )
    return reckoned;
  const shape = account.adapter.requestShape(call.flavor, call.parsed, body?.length ?? 0, headers);
  call.reckoned = { account, model: facts.model, body, shape, bound: boundOfShape(call, shape) };
  return call.reckoned;
}
