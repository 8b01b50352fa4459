import type { ImportedEvent, ImportRequest } from '@tallygate/contract/api/imports';
import { parseUsd } from '@tallygate/contract/money';
import { type PriceStatus, unknownTokens, unknownUnits } from '@tallygate/contract/usage';
import type { UsageEvent } from '../../accounting/usage-event.ts';
import { totalTokens, weightedTokens } from '../../accounting/weighted-tokens.ts';
import { DEFAULT_PROJECT_SLUG } from '../../identity/key-lookup.ts';
import { JOURNAL_START } from '../../journal/position.ts';
import { AppError } from '../../kernel/errors.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { toMs } from '../instant.ts';
import { ensureProject } from '../projects/project-access.ts';
import { emptyTally, type ImportTally } from './import-tally.ts';
import { importedId } from './imported-id.ts';
import { providerOf } from './provider-of.ts';

interface ImportCall {
  source: ImportRequest['source'];
  dryRun: boolean;
  workspaceId: string;
}
type Priced = Pick<UsageEvent, 'costNanoUsd' | 'priceCard' | 'priceStatus'>;
const NO_USAGE: Priced = { costNanoUsd: null, priceCard: null, priceStatus: 'no_usage' };
const UNPRICED: Priced = { ...NO_USAGE, priceStatus: 'unpriced' };

/** What it costs by our prices of that day; the other system's own figure is kept beside it and never trusted. */
function priced(deps: AdminDeps, event: ImportedEvent): Priced {
  const { inputUncached, cacheRead, cacheWrite5m, cacheWrite1h, outputVisible } = event.tokens;
  if (event.model === null || (totalTokens({ ...unknownTokens(), ...event.tokens }) ?? 0) === 0)
    return NO_USAGE;
  const usage = {
    input_tokens: inputUncached ?? 0,
    output_tokens: outputVisible ?? 0,
    cache_read_input_tokens: cacheRead ?? 0,
    cache_creation_input_tokens: (cacheWrite5m ?? 0) + (cacheWrite1h ?? 0),
    cache_creation: {
      ephemeral_5m_input_tokens: cacheWrite5m ?? 0,
      ephemeral_1h_input_tokens: cacheWrite1h ?? 0,
    },
  };
  try {
    const { model } = event;
    const provider = providerOf(deps, event.apiFlavor);
    const answer = { model, usage };
    const quote = deps.quotePrice({ provider, model, atMs: toMs(event.startedAt), answer });
    return {
      costNanoUsd: quote.costUsd === null ? null : parseUsd(quote.costUsd),
      priceCard: quote.card,
      priceStatus: quote.priceStatus as PriceStatus,
    };
  } catch (error) {
    if (error instanceof AppError) return UNPRICED; // a provider that the price book does not know
    throw error;
  }
}

const storedSession = ({ userHash }: AdminDeps, id: string | null): string | null =>
  id === null || userHash === null ? id : userHash.stored(id);

function eventRow(deps: AdminDeps, event: ImportedEvent, at: ImportCall & { projectId: string }): UsageEvent {
  const startedAtMs = toMs(event.startedAt);
  const tokens = { ...unknownTokens(), ...event.tokens };
  const { latencyMs, ttftMs, httpStatus, accountRef } = event;
  const used = totalTokens(tokens) !== null;
  return {
    id: importedId(at, 'event', event.ref),
    parentId: null,
    workspaceId: at.workspaceId,
    projectId: at.projectId,
    apiKeyId: null,
    userId: null,
    source: `import-${at.source}`,
    provider: providerOf(deps, event.apiFlavor),
    accountId: accountRef === null ? null : importedId(at, 'account', accountRef),
    apiFlavor: event.apiFlavor,
    modelRequested: event.model,
    modelServed: event.model,
    startedAtMs,
    firstByteAtMs: null,
    endedAtMs: latencyMs === null ? null : startedAtMs + Math.round(latencyMs),
    latencyMs: latencyMs === null ? null : Math.round(latencyMs),
    ttftMs: ttftMs === null ? null : Math.round(ttftMs),
    stream: event.stream,
    status: event.status,
    httpStatus,
    errorCode: event.status === 'ok' || httpStatus === null ? null : `http_${httpStatus}`,
    tokens,
    units: unknownUnits(),
    weightedTokens: used ? weightedTokens(tokens) : null,
    serviceTier: null,
    speed: null,
    geo: null,
    batch: false,
    ...priced(deps, event),
    settleStatus: 'final',
    providerCostUsd: event.costUsd,
    upstreamRequestId: null,
    sessionId: storedSession(deps, event.sessionId),
    conversationId: null,
    tags: [`import-${at.source}`],
    requestBytes: null,
    responseBytes: null,
    rawUsage: null,
    poolId: null,
    ruleId: null,
    ruleChanges: null,
    cacheLostTokens: null,
    cacheLossNanoUsd: null,
    attempts: [],
  };
}

async function countPresent(deps: AdminDeps, rows: readonly UsageEvent[]): Promise<number> {
  let present = 0;
  for (const { id, workspaceId } of rows)
    if ((await deps.store.usage.request(id, workspaceId)) !== null) present += 1;
  return present;
}

/** Takes over requests of the past: rows of the ledger like any other, each once, priced by our own book. */
export async function importEvents(
  deps: AdminDeps,
  events: readonly ImportedEvent[],
  call: ImportCall,
): Promise<ImportTally> {
  const tally = emptyTally();
  if (events.length === 0) return tally;
  const projects = new Map<string, string>();
  const rows: UsageEvent[] = [];
  for (const event of events) {
    const slug = event.project ?? DEFAULT_PROJECT_SLUG;
    if (!projects.has(slug) && !call.dryRun)
      projects.set(slug, (await ensureProject(deps, call.workspaceId, slug)).id);
    rows.push(eventRow(deps, event, { ...call, projectId: projects.get(slug) ?? '' }));
  }
  if (call.dryRun) {
    tally.present = await countPresent(deps, rows);
    tally.added = rows.length - tally.present;
    return tally;
  }
  // Not through a journal: what these rows stand for is in the other system and can be read again.
  const checkpoint = { nodeId: `import-${call.source}`, committed: JOURNAL_START, lowWaterSegment: 0 };
  const { inserted } = await deps.store.ledger.commit(rows, checkpoint);
  tally.added = inserted;
  tally.present = rows.length - inserted;
  return tally;
}
