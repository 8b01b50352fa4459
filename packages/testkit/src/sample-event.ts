import { unknownTokens, unknownUnits } from '@tallygate/contract/usage';
import type { UsageEvent } from '@tallygate/server/accounting/usage-event';

/** The first workspace of an admin world, so that samples are its own. */
export const SAMPLE_WORKSPACE_ID = 'workspace-1';

/** A ledger row as it looks before dispatch; tests change what they are about. */
export function sampleEvent(id: string, change: Partial<UsageEvent> = {}): UsageEvent {
  return {
    id,
    parentId: null,
    workspaceId: SAMPLE_WORKSPACE_ID,
    projectId: 'project-1',
    apiKeyId: 'key-1',
    userId: null,
    source: 'gateway',
    provider: 'anthropic',
    accountId: 'account-1',
    apiFlavor: 'anthropic.messages',
    modelRequested: 'claude-sonnet-4-5',
    modelServed: null,
    startedAtMs: 1_800_000_000_000,
    firstByteAtMs: null,
    endedAtMs: null,
    latencyMs: null,
    ttftMs: null,
    stream: true,
    status: 'interrupted',
    httpStatus: null,
    errorCode: null,
    tokens: unknownTokens(),
    units: unknownUnits(),
    weightedTokens: null,
    serviceTier: null,
    speed: null,
    geo: null,
    batch: false,
    costNanoUsd: null,
    priceCard: null,
    priceStatus: 'no_usage',
    settleStatus: 'interrupted',
    providerCostUsd: null,
    upstreamRequestId: null,
    sessionId: null,
    conversationId: null,
    tags: [],
    requestBytes: 120,
    responseBytes: null,
    rawUsage: null,
    poolId: null,
    ruleId: null,
    ruleChanges: null,
    cacheLostTokens: null,
    cacheLossNanoUsd: null,
    attempts: [],
    ...change,
  };
}

/** The same row after a complete answer. */
export function sampleSettled(id: string, change: Partial<UsageEvent> = {}): UsageEvent {
  return sampleEvent(id, {
    modelServed: 'claude-sonnet-4-5-20250929',
    firstByteAtMs: 1_800_000_000_100,
    endedAtMs: 1_800_000_000_900,
    latencyMs: 900.25,
    ttftMs: 101.5,
    status: 'ok',
    httpStatus: 200,
    tokens: { ...unknownTokens(), inputUncached: 12, cacheRead: 0, outputVisible: 345 },
    weightedTokens: 1737,
    serviceTier: 'standard',
    costNanoUsd: 5_211_000n,
    priceCard: 'anthropic/claude-sonnet-4-5@2026-11-22',
    priceStatus: 'priced',
    settleStatus: 'final',
    upstreamRequestId: 'req_011CSHoEeqs5C35K2UUqR7Fy',
    responseBytes: 4321,
    rawUsage: '{"input_tokens":12,"cache_read_input_tokens":0,"output_tokens":345}',
    attempts: [
      {
        index: 0,
        accountId: 'account-1',
        provider: 'anthropic',
        startedAtMs: 1_800_000_000_010,
        firstByteAtMs: 1_800_000_000_100,
        endedAtMs: 1_800_000_000_900,
        httpStatus: 200,
        outcome: 'ok',
        errorCode: null,
        upstreamRequestId: 'req_011CSHoEeqs5C35K2UUqR7Fy',
        model: null,
        chosenBy: 'session',
      },
    ],
    ...change,
  });
}
