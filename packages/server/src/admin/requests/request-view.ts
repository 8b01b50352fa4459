import {
  type AttemptView,
  type RequestDetailView,
  type RequestView,
  ruleChange,
} from '@tallygate/contract/api/usage';
import { formatNanoUsd } from '@tallygate/contract/money';
import { z } from 'zod';
import type { Attempt } from '../../accounting/usage-event.ts';
import { totalTokens } from '../../accounting/weighted-tokens.ts';
import type { Store, StoredEvent } from '../../store/store.ts';
import { toIso, toIsoOrNull } from '../instant.ts';
import type { Names } from '../names.ts';

const wholeMs = (ms: number | null): number | null => (ms === null ? null : Math.round(ms));

/** A ledger row as the API shows it. */
export function requestView(event: StoredEvent, names: Names): RequestView {
  return {
    id: event.id,
    parentId: event.parentId,
    upstreamRequestId: event.upstreamRequestId,
    startedAt: toIso(event.startedAtMs),
    endedAt: toIsoOrNull(event.endedAtMs),
    status: event.status,
    httpStatus: event.httpStatus,
    errorCode: event.errorCode,
    modelRequested: event.modelRequested,
    modelServed: event.modelServed,
    provider: event.provider,
    apiFlavor: event.apiFlavor,
    project: names.project(event.projectId),
    key: names.key(event.apiKeyId),
    account: names.account(event.accountId),
    source: event.source,
    stream: event.stream,
    tokens: event.tokens,
    units: event.units,
    totalTokens: totalTokens(event.tokens),
    weightedTokens: event.weightedTokens,
    costUsd: event.costNanoUsd === null ? null : formatNanoUsd(event.costNanoUsd),
    priceStatus: event.priceStatus,
    settleStatus: event.settleStatus,
    priceCard: event.priceCard,
    serviceTier: event.serviceTier,
    latencyMs: wholeMs(event.latencyMs),
    ttftMs: wholeMs(event.ttftMs),
    sessionId: event.sessionId,
    tags: event.tags,
  };
}

function attemptView(attempt: Attempt, names: Names): AttemptView {
  return {
    index: attempt.index,
    account: names.account(attempt.accountId),
    provider: attempt.provider,
    startedAt: toIso(attempt.startedAtMs),
    firstByteAt: toIsoOrNull(attempt.firstByteAtMs),
    endedAt: toIsoOrNull(attempt.endedAtMs),
    httpStatus: attempt.httpStatus,
    outcome: attempt.outcome,
    errorCode: attempt.errorCode,
    upstreamRequestId: attempt.upstreamRequestId,
    model: attempt.model,
    chosenBy: attempt.chosenBy,
  };
}

/** Stored JSON; text that is none is shown as text. */
function jsonView(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Names of pools and rules by id. */
export interface PlaceNames {
  pools: ReadonlyMap<string, string>;
  rules: ReadonlyMap<string, string>;
}

const NO_NAMES: ReadonlyMap<string, string> = new Map();

/** Names of the pool and the rule of a row; nearly every row has neither. */
export async function placeNames(
  { store }: { store: Pick<Store, 'pool' | 'rules'> },
  event: StoredEvent,
): Promise<PlaceNames> {
  const named = (rows: readonly { id: string; name: string }[]) =>
    new Map(rows.map((row) => [row.id, row.name]));
  return {
    pools: event.poolId === null ? NO_NAMES : named(await store.pool.listPools(event.workspaceId)),
    rules: event.ruleId === null ? NO_NAMES : named(await store.rules.listRules(event.workspaceId)),
  };
}

const placed = (id: string, names: ReadonlyMap<string, string>) => ({ id, name: names.get(id) ?? id });

/** The rule by its name now, and what it changed then. */
function ruleView(
  { ruleId, ruleChanges }: StoredEvent,
  rules: ReadonlyMap<string, string>,
): RequestDetailView['rule'] {
  if (ruleId === null) return null;
  const changes = z.array(ruleChange).safeParse(jsonView(ruleChanges));
  return { ...placed(ruleId, rules), changes: changes.success ? changes.data : [] };
}

function cacheLossView({ cacheLostTokens, cacheLossNanoUsd }: StoredEvent): RequestDetailView['cacheLoss'] {
  if (cacheLostTokens === null) return null;
  const costUsd = cacheLossNanoUsd === null ? null : formatNanoUsd(cacheLossNanoUsd);
  return { tokens: cacheLostTokens, costUsd };
}

/** Everything about one request. */
export function requestDetailView(
  event: StoredEvent,
  parts: {
    children: readonly StoredEvent[];
    costLines: RequestDetailView['costLines'];
    names: Names;
    places: PlaceNames;
  },
): RequestDetailView {
  return {
    request: requestView(event, parts.names),
    attempts: event.attempts.map((attempt) => attemptView(attempt, parts.names)),
    children: parts.children.map((child) => requestView(child, parts.names)),
    costLines: parts.costLines,
    pool: event.poolId === null ? null : placed(event.poolId, parts.places.pools),
    rule: ruleView(event, parts.places.rules),
    cacheLoss: cacheLossView(event),
    rawUsage: jsonView(event.rawUsage),
    requestBytes: event.requestBytes,
    responseBytes: event.responseBytes,
  };
}
