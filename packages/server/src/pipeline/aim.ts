import type { IncomingMessage } from 'node:http';
import { AppError } from '../kernel/errors.ts';
import type { AccountPool } from '../pool/account-pool.ts';
import type { Candidates, PoolAccount } from '../pool/pool.ts';
import type { Aim, Call, DataRoute } from './call.ts';
import { assertModelAllowed } from './key-limits.ts';
import { createAnswerHere } from './local/answer-here.ts';
import { splitTarget, upstreamRoutePath, withoutParameter } from './request-target.ts';
import { upstreamHeaders } from './stages/upstream-headers.ts';
import { type AimedCall, createTranslate, type TranslateDeps } from './translation/translate-request.ts';

type Known = Pick<Call, 'route' | 'facts' | 'snapshot' | 'key'>;
const NONE_TRIED: readonly PoolAccount[] = [];

/** The accounts that can serve the call, within the limits of its key. */
export function candidatesOf({ route, facts, snapshot, key }: Known): Candidates {
  return snapshot.candidates(
    key.workspaceId,
    route.serves ?? route.flavor,
    facts.model,
    key.limits?.providers ?? null,
  );
}

/** Why there is none: `key_restricted`, `account_unavailable` or `no_account`. */
function noCandidates({ route, facts, snapshot, key }: Known, reason: string): AppError {
  if (reason === 'paused') return new AppError('account_unavailable');
  const limited = (key.limits?.providers ?? null) !== null;
  if (
    limited &&
    snapshot.candidates(key.workspaceId, route.serves ?? route.flavor, facts.model).groups !== null
  ) {
    return new AppError('key_restricted', {
      detail:
        'This key may not use the providers that serve this request. Whoever issued it can add one to its limits.',
    });
  }
  return new AppError('no_account');
}

/**
 * The account that a new call goes to.
 * @throws AppError `key_restricted`, `no_account`, `account_unavailable`, `accounts_limited`
 */
export function firstAccount(pool: AccountPool, known: Known, nowMs: number): PoolAccount {
  const { facts, key, route } = known;
  if (key.limits !== null) assertModelAllowed(key.limits, { model: facts.model, metered: route.metered });
  const candidates = candidatesOf(known);
  if (candidates.groups === null) throw noCandidates(known, candidates.reason);
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

/** The same call as the account's provider takes it, where that is not the wire format as it is. */
function enveloped(aimed: Aim, { facts }: AimedCall): Aim {
  const { account, flavor, headers, body } = aimed;
  const { envelope } = account.adapter;
  if (envelope === undefined) return aimed;
  const { path, query } = splitTarget(aimed.path.slice(account.basePath.length));
  const stream = aimed.translation?.stream ?? facts.stream;
  const request = { flavor, path, query, headers, body, model: facts.model, stream };
  const wrapped = envelope.wrap(request, account.baseQuery);
  return {
    ...aimed,
    path: `${account.basePath}${wrapped.path}`,
    headers: wrapped.headers,
    body: wrapped.body,
  };
}

/**
 * What of a call depends on the account.
 * @throws AppError `not_translatable`, `invalid_request` where the account speaks another format
 */
export type AimAt = (request: IncomingMessage, call: AimedCall & Known, account: PoolAccount) => Aim;

/** Builds `AimAt`: the bytes as they came for accounts of the client's format, a translation for the others. */
export function createAim(deps: TranslateDeps): AimAt {
  const translate = createTranslate(deps);
  const answerHere = createAnswerHere(deps);
  return (request, call, account) => {
    const { route, facts, sent } = call;
    const local = route.serves === undefined ? null : answerHere(request, call, account);
    if (local === null && !account.flavors.has(route.flavor))
      return enveloped(translate(request, call, account), call);
    const aimed: Aim = {
      local,
      account,
      flavor: route.flavor,
      path: upstreamPath(request, route, account),
      headers: upstreamHeaders(request, {
        credentialHeaders: account.credentialHeaders,
        plainAnswer: facts.injectIncludeUsage,
      }),
      body: sent.body,
      parsed: sent.parsed,
      translation: null,
    };
    return account.adapter.envelope === undefined || local !== null ? aimed : enveloped(aimed, call);
  };
}
