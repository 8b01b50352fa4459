import type { IncomingMessage } from 'node:http';
import { AppError } from '../kernel/errors.ts';
import type { AccountPool } from '../pool/account-pool.ts';
import type { PoolAccount } from '../pool/pool.ts';
import type { Call, DataRoute } from './call.ts';
import { splitTarget, upstreamRoutePath, withoutParameter } from './request-target.ts';
import { upstreamHeaders } from './stages/upstream-headers.ts';

type Known = Pick<Call, 'route' | 'facts' | 'snapshot'>;
const NONE_TRIED: readonly PoolAccount[] = [];

/**
 * The account that a new call goes to.
 * @throws AppError `no_account`, `account_unavailable`, `accounts_limited`
 */
export function firstAccount(
  pool: AccountPool,
  { route, facts, snapshot }: Known,
  nowMs: number,
): PoolAccount {
  const candidates = snapshot.candidates(route.flavor, facts.model);
  if (candidates.groups === null)
    throw new AppError(candidates.reason === 'paused' ? 'account_unavailable' : 'no_account');
  const { model, affinity } = facts;
  const pick = pool.pick(candidates, { model, affinity, nowMs, tried: NONE_TRIED });
  if (pick.account !== null) return pick.account;
  throw new AppError('accounts_limited', {
    retryAfterSeconds: Math.max(1, Math.ceil((pick.untilMs - nowMs) / 1000)),
  });
}

/** Path and query as they go upstream: without the part that is the gate's, and without the client's credential. */
function upstreamPath(request: IncomingMessage, route: DataRoute, account: PoolAccount): string {
  const { path, query } = splitTarget(request.url ?? '');
  const kept = route.credentialQuery === null ? query : withoutParameter(query, route.credentialQuery);
  return `${account.basePath}${upstreamRoutePath(path, route)}${kept}`;
}

/** What of a call depends on the account. */
export function aim(
  request: IncomingMessage,
  { route, facts }: Pick<Call, 'route' | 'facts'>,
  account: PoolAccount,
): Pick<Call, 'account' | 'path' | 'headers'> {
  return {
    account,
    path: upstreamPath(request, route, account),
    headers: upstreamHeaders(request, {
      credentialHeaders: account.credentialHeaders,
      plainAnswer: facts.injectIncludeUsage,
    }),
  };
}
