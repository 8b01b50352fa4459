import { unknownTokens, unknownUnits } from '@tallygate/contract/usage';
import type { UsageEvent } from '@tallygate/server/accounting/usage-event';

let made = 0;

/** A settled request with the given differences; its id is new and sorts after the ones before it. */
export function usageEvent(change: Partial<UsageEvent> = {}): UsageEvent {
  made += 1;
  const startedAtMs = change.startedAtMs ?? Date.UTC(2026, 10, 22, 12) + made;
  return {
    id: `0190a1b2-0000-7000-8000-${String(made).padStart(12, '0')}`,
    parentId: null,
    workspaceId: 'ws',
    projectId: 'project-a',
    apiKeyId: 'key-a',
    userId: null,
    source: 'gateway',
    provider: 'anthropic',
    accountId: 'account-a',
    apiFlavor: 'anthropic.messages',
    modelRequested: 'claude-sonnet-4-5',
    modelServed: 'claude-sonnet-4-5',
    startedAtMs,
    firstByteAtMs: startedAtMs + 300,
    endedAtMs: startedAtMs + 2_000,
    latencyMs: 2_000,
    ttftMs: 400,
    stream: true,
    status: 'ok',
    httpStatus: 200,
    errorCode: null,
    tokens: { ...unknownTokens(), inputUncached: 100, cacheRead: 50, outputVisible: 20 },
    units: { ...unknownUnits(), webSearchRequests: 1 },
    weightedTokens: 205,
    serviceTier: 'standard',
    speed: null,
    geo: null,
    batch: false,
    costNanoUsd: 615_000n,
    priceCard: 'anthropic/claude-sonnet-4-5@2026-11-22',
    priceStatus: 'priced',
    settleStatus: 'final',
    providerCostUsd: null,
    upstreamRequestId: `req_${made}`,
    sessionId: null,
    conversationId: null,
    tags: [],
    requestBytes: 1_000,
    responseBytes: 2_000,
    rawUsage: '{"input_tokens":100,"output_tokens":20}',
    poolId: null,
    ruleId: null,
    ruleChanges: null,
    cacheLostTokens: null,
    cacheLossNanoUsd: null,
    attempts: [
      {
        index: 0,
        accountId: 'account-a',
        provider: 'anthropic',
        startedAtMs,
        firstByteAtMs: startedAtMs + 300,
        endedAtMs: startedAtMs + 2_000,
        httpStatus: 200,
        outcome: 'ok',
        errorCode: null,
        model: null,
        chosenBy: null,
        upstreamRequestId: `req_${made}`,
      },
    ],
    ...change,
  };
}
