import type {
  PriceStatus,
  RequestStatus,
  SettleStatus,
  TokenCounts,
  UnitCounts,
} from '@tallygate/contract/usage';

/** One try at one upstream account. */
export interface Attempt {
  index: number;
  accountId: string | null;
  provider: string;
  startedAtMs: number;
  firstByteAtMs: number | null;
  endedAtMs: number | null;
  httpStatus: number | null;
  /** `ok`, `http_error`, `stream_error`, `connect_failed`, `timeout`, `connection_lost`, `aborted`, `interrupted`. */
  outcome: string;
  errorCode: string | null;
  upstreamRequestId: string | null;
  /** Model that this attempt asked for, where it is not the one of the request. */
  model: string | null;
  /** Why this account: the pool's strategy, `only`, `failover`, `retry` or `fallback`. */
  chosenBy: string | null;
}

/**
 * The ledger row. One for each request, and one for each sub-call that the answer reports under another model
 * (`parentId` set). Written once, never updated: repricing appends.
 */
export interface UsageEvent {
  /** Request id, UUIDv7. */
  id: string;
  parentId: string | null;
  workspaceId: string;
  projectId: string;
  apiKeyId: string | null;
  userId: string | null;
  /** `gateway`; later issues add `ingest`, `agent`, `otlp`, `chat`. */
  source: string;
  provider: string;
  accountId: string | null;
  /** Wire format of the call, such as `anthropic.messages`, `openai.chat`, `openai.responses`. */
  apiFlavor: string;
  modelRequested: string | null;
  modelServed: string | null;
  startedAtMs: number;
  firstByteAtMs: number | null;
  endedAtMs: number | null;
  latencyMs: number | null;
  /** Time to the first content event of a stream; null when the answer was not a stream or had none. */
  ttftMs: number | null;
  stream: boolean;
  status: RequestStatus;
  httpStatus: number | null;
  errorCode: string | null;
  tokens: TokenCounts;
  units: UnitCounts;
  weightedTokens: number | null;
  serviceTier: string | null;
  speed: string | null;
  geo: string | null;
  batch: boolean;
  costNanoUsd: bigint | null;
  /** Card and price-book version used, such as `anthropic/claude-sonnet-4-5@2026-11-22`. */
  priceCard: string | null;
  priceStatus: PriceStatus;
  settleStatus: SettleStatus;
  providerCostUsd: string | null;
  upstreamRequestId: string | null;
  sessionId: string | null;
  conversationId: string | null;
  tags: string[];
  requestBytes: number | null;
  responseBytes: number | null;
  /** The provider's usage JSON as text, untouched. */
  rawUsage: string | null;
  /** The pool that served; null is the pool of all accounts. */
  poolId: string | null;
  /** The rule that applied; null when none did. */
  ruleId: string | null;
  /** What the rule changed, as JSON text: original and applied values. */
  ruleChanges: string | null;
  /** Tokens that would have come from the prompt cache of the account that the session left; null when it did not move. */
  cacheLostTokens: number | null;
  /** What those cost more than from the cache; null when it is not known. */
  cacheLossNanoUsd: bigint | null;
  attempts: Attempt[];
}
