import type { IncomingMessage } from 'node:http';
import { AppError } from '../kernel/errors.ts';
import type { AccountPool, Choice } from '../pool/account-pool.ts';
import type { Candidates, PoolAccount } from '../pool/pool.ts';
import type { Aim, Call, DataRoute } from './call.ts';
import { assertModelAllowed } from './key-limits.ts';
import { createAnswerHere } from './local/answer-here.ts';
import { splitTarget, upstreamRoutePath, withoutParameter } from './request-target.ts';
import { type HeaderEdits, onLink, poolOf, type Routing } from './routing.ts';
import { editedHeaders, upstreamHeaders } from './stages/upstream-headers.ts';
import { type AimedCall, createTranslate, type TranslateDeps } from './translation/translate-request.ts';

type Known = Pick<Call, 'route' | 'facts' | 'snapshot' | 'key' | 'routing'>;
type Linked = Known & Pick<Call, 'sent'>;
const NONE_TRIED: readonly PoolAccount[] = [];

/** The accounts that can serve the call, within the limits of its key and the pool that a rule chose. */
export function candidatesOf(known: Known): Candidates {
  const { route, facts, snapshot, key } = known;
  return snapshot.candidates({
    workspaceId: key.workspaceId,
    flavor: route.serves ?? route.flavor,
    model: facts.model,
    providers: key.limits?.providers ?? null,
    reach: key.reach,
    pool: poolOf(known),
  });
}

/** Why there is none: `key_restricted`, `account_unavailable` or `no_account`. */
function noCandidates(known: Known, reason: string): AppError {
  if (reason === 'paused') return new AppError('account_unavailable');
  const { route, facts, snapshot, key } = known;
  const { workspaceId, reach } = key;
  const flavor = route.serves ?? route.flavor;
  const query = { workspaceId, flavor, model: facts.model, providers: null, reach };
  const limited = (key.limits?.providers ?? null) !== null;
  if (limited && snapshot.candidates({ ...query, pool: poolOf(known) }).groups !== null) {
    return new AppError('key_restricted', {
      detail:
        'This key may not use the providers that serve this request. Whoever issued it can add one to its limits.',
    });
  }
  const pool = poolOf(known);
  if (pool !== null)
    return new AppError('no_account', {
      detail: `No account of the pool ${pool.name}, to which a rule sends this request, can serve it.`,
    });
  return new AppError('no_account');
}

interface Asked {
  nowMs: number;
  tried: readonly PoolAccount[];
  lastResort: boolean;
}

/** What the pool has to say about a call. */
export function pickFor(pool: AccountPool, known: Known, asked: Asked): Choice | null {
  return pickAmong(candidatesOf(known), pool, known, asked);
}

function pickAmong(
  candidates: Candidates,
  pool: AccountPool,
  known: Known,
  { nowMs, tried, lastResort }: Asked,
): Choice | null {
  if (candidates.groups === null) return null;
  const { model, affinity } = known.facts;
  return pool.pick(candidates, { model, affinity, pool: poolOf(known), nowMs, tried, lastResort });
}

type Taken = Extract<Choice, { chosenBy: string }>;

function choose(pool: AccountPool, known: Known, asked: Omit<Asked, 'tried'>): Taken {
  const { facts, key, route } = known;
  if (key.limits !== null) assertModelAllowed(key.limits, { model: facts.model, metered: route.metered });
  const candidates = candidatesOf(known);
  if (candidates.groups === null) throw noCandidates(known, candidates.reason);
  const { nowMs, lastResort } = asked;
  const pick = pickAmong(candidates, pool, known, { nowMs, lastResort, tried: NONE_TRIED });
  if (pick !== null && pick.account !== null) return pick;
  const untilMs = pick?.untilMs ?? 0;
  throw new AppError('accounts_limited', {
    retryAfterSeconds: Math.max(1, Math.ceil((untilMs - nowMs) / 1000)),
  });
}

/** Goes along the links of a rule: first for an account that is well, then for any that may be tried. */
function chooseAlong<K extends Linked>(
  pool: AccountPool,
  known: K,
  routing: Routing,
  nowMs: number,
): { known: K; pick: Taken } {
  let first: AppError | null = null;
  for (const lastResort of [false, true]) {
    for (let at = 0; at < routing.links.length; at++) {
      const linked = { ...known, ...onLink(known, routing, at) };
      try {
        return { known: linked, pick: choose(pool, linked, { nowMs, lastResort }) };
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        if (lastResort) first ??= error;
      }
    }
  }
  throw first ?? new AppError('no_account');
}

/**
 * The account that a new call goes to, and the call as it goes there.
 * @throws AppError `key_restricted`, `no_account`, `account_unavailable`, `accounts_limited`
 */
export function firstAccount<K extends Linked>(
  pool: AccountPool,
  known: K,
  nowMs: number,
): { known: K; pick: Taken } {
  const { routing } = known;
  if (routing !== null && routing.links.length > 1) return chooseAlong(pool, known, routing, nowMs);
  return { known, pick: choose(pool, known, { nowMs, lastResort: true }) };
}

type Aimed = Pick<Call, 'route' | 'facts' | 'routing'>;

const OWN_KEY_FORMAT =
  'A client that brings its own key is sent to accounts of its own format only, and none of them can serve this request.';

/** Path and query as they go upstream: without the part that is the gate's, and without the client's credential. */
function upstreamPath(
  request: IncomingMessage,
  { route, facts, routing }: Aimed,
  account: PoolAccount,
): string {
  const { path, query } = splitTarget(request.url ?? '');
  const kept = route.credentialQuery === null ? query : withoutParameter(query, route.credentialQuery);
  const renamed = routing !== null && route.templated && facts.model !== routing.requestedModel;
  return `${account.basePath}${renamed ? pathForModel(route, facts.model) : upstreamRoutePath(path, route)}${kept}`;
}

function pathForModel(route: DataRoute, model: string | null): string {
  return route.path.replace('{model}', encodeURIComponent(model ?? ''));
}

/** A translated call with the headers as a rule has them. */
function edited(aimed: Aim, edits: HeaderEdits | null): Aim {
  return edits === null ? aimed : { ...aimed, headers: editedHeaders(aimed.headers, edits) };
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
 * @throws AppError `not_translatable`, `invalid_request`, `no_account` where the account speaks another format
 */
export type AimAt = (request: IncomingMessage, call: AimedCall & Known, account: PoolAccount) => Aim;

/** Builds `AimAt`: the bytes as they came for accounts of the client's format, a translation for the others. */
export function createAim(deps: TranslateDeps): AimAt {
  const translate = createTranslate(deps);
  const answerHere = createAnswerHere(deps);
  return (request, call, account) => {
    const { route, facts, sent, routing } = call;
    const ownKey = routing?.ownKey ?? null;
    const edits = routing?.headers ?? null;
    const local = route.serves === undefined ? null : answerHere(request, call, account);
    if (local === null && !account.flavors.has(route.flavor)) {
      if (ownKey !== null) throw new AppError('no_account', { detail: OWN_KEY_FORMAT });
      return enveloped(edited(translate(request, call, account), edits), call);
    }
    const aimed: Aim = {
      local,
      account,
      flavor: route.flavor,
      path: upstreamPath(request, call, account),
      headers: upstreamHeaders(request, {
        credentialHeaders:
          ownKey === null ? account.credentialHeaders : account.adapter.credentialHeaders(ownKey).flat(),
        ownKey: ownKey !== null,
        plainAnswer: facts.injectIncludeUsage,
        edits,
      }),
      body: sent.body,
      parsed: sent.parsed,
      translation: null,
    };
    return account.adapter.envelope === undefined || local !== null ? aimed : enveloped(aimed, call);
  };
}
