import { type PricedUsage, priceUsage } from '../../accounting/price-usage.ts';
import type { ModelUsage, NormalizedUsage } from '../../accounting/usage.ts';
import type { UsageEvent } from '../../accounting/usage-event.ts';
import { totalInputTokens, totalTokens, weightedTokens } from '../../accounting/weighted-tokens.ts';
import { ENTRY_SETTLED, type JournalWriter } from '../../journal/journal.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { IdSource } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/logger.ts';
import { encodeSettled } from '../../ledger/journal-entries.ts';
import type { TokenAmounts } from '../../limits/rate-limit.ts';
import type { RateLease } from '../../limits/rate-state.ts';
import { CacheMemory } from '../../pool/cache-memory.ts';
import type { UsageMeter } from '../../providers/provider.ts';
import { attemptRows } from '../attempt-rows.ts';
import { type Call, openEvent } from '../call.ts';
import type { InputRatios } from '../counting/input-ratios.ts';
import type { ExchangeDeps } from '../exchange-deps.ts';
import type { ExchangeFacts } from '../exchange-facts.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Outcome } from '../outcome.ts';
import type { TokenRatio } from '../translation/token-ratio.ts';
import type { Translation } from '../translation/translation.ts';
import { tokenAmounts } from './admit-rate.ts';
import { noteCacheLoss } from './cache-loss.ts';
import { applyBound, cutUsage, mayBeBilled } from './conservative.ts';
import type { CallHold } from './reserve.ts';

export interface SettleDeps {
  journal: Pick<JournalWriter, 'append'>;
  clock: Clock;
  newId: IdSource;
  logger: Pick<Logger, 'error'>;
  metrics: GatewayMetrics;
  translation: { ratio: TokenRatio };
  recounting: { ratios: InputRatios };
}

/** A provider's usage JSON is small; anything larger is not kept beside the row. */
const MAX_RAW_USAGE_LENGTH = 64 * 1024;

function rawUsageText(raw: unknown): string | null {
  if (raw === undefined || raw === null) return null;
  const text = JSON.stringify(raw);
  return text.length <= MAX_RAW_USAGE_LENGTH ? text : null;
}

/** Usage and price onto the row: always by the model and the terms that the answer reports. */
function applyUsage(event: UsageEvent, usage: ModelUsage, priced: PricedUsage): void {
  event.modelServed = usage.model ?? event.modelServed;
  event.tokens = usage.tokens;
  event.units = usage.units;
  event.weightedTokens = weightedTokens(usage.tokens);
  event.serviceTier = usage.serviceTier;
  event.speed = usage.speed;
  event.geo = usage.geo;
  event.batch = usage.batch;
  event.costNanoUsd = priced.costNanoUsd;
  event.priceCard = priced.priceCard;
  event.priceStatus = priced.priceStatus;
}

function settledEvent(call: Call, facts: ExchangeFacts, outcome: Outcome, latencyMs: number): UsageEvent {
  const event = openEvent(call);
  event.firstByteAtMs = facts.firstByteAtMs;
  event.endedAtMs = facts.endedAtMs;
  event.latencyMs = latencyMs;
  event.ttftMs =
    facts.firstContentAtMs === null ? null : Math.max(0, facts.firstContentAtMs - call.startedAtMs);
  event.status = outcome.status;
  event.httpStatus = facts.httpStatus;
  event.errorCode = outcome.errorCode;
  event.settleStatus =
    outcome.status === 'interrupted' ? 'interrupted' : outcome.complete ? 'final' : 'estimated';
  event.upstreamRequestId = facts.upstreamRequestId;
  event.responseBytes = facts.responseBytes;
  event.attempts = attemptRows(call, facts, outcome);
  return event;
}

function price(call: Call, usage: ModelUsage, fallbackModel: string | null): PricedUsage {
  const provider = call.account.priceProvider;
  if (provider === null) return { costNanoUsd: null, priceStatus: 'unpriced', priceCard: null, lines: [] };
  return priceUsage(call.snapshot.prices, { provider, usage, fallbackModel, atMs: call.startedAtMs });
}

function subCallEvent(parent: UsageEvent, call: Call, id: string, usage: ModelUsage): UsageEvent {
  const event: UsageEvent = {
    ...parent,
    id,
    parentId: parent.id,
    modelRequested: null,
    latencyMs: null,
    ttftMs: null,
    rawUsage: null,
    providerCostUsd: null,
    requestBytes: null,
    responseBytes: null,
    attempts: [],
    cacheLostTokens: null,
    cacheLossNanoUsd: null,
  };
  applyUsage(event, usage, price(call, usage, null));
  return event;
}

/** What a budget that must not be overshot keeps back for the call; null where there is none. */
const bindingHold = ({ held }: Call): CallHold | null => (held?.hold.binding === true ? held : null);

/** The request's row and those of its sub-calls. */
function rowsOf(
  call: Call,
  event: UsageEvent,
  known: { usage: NormalizedUsage | null; facts: ExchangeFacts; caches: CacheMemory },
  newId: IdSource,
): UsageEvent[] {
  const { usage } = known;
  const open = mayBeBilled(known.facts); // what is not known may cost something
  if (usage === null) {
    // A complete success that says nothing of usage is not known to be free.
    if (event.status === 'ok') event.settleStatus = 'estimated';
    if (open) applyBound(event, call.held);
    else if (call.held !== null) event.settleStatus = 'refunded'; // what was kept back is given back: nothing is owed
    return [event];
  }
  const whole = usage.complete && event.settleStatus === 'final';
  const held = open && !whole ? bindingHold(call) : null;
  const counted = held === null ? usage : cutUsage(usage, held);
  applyUsage(event, counted, price(call, counted, call.facts.model));
  // The provider's own tools read everything again: an answer that was cut has told of its first pass alone.
  if (held?.bound?.repeatsInput === true) applyBound(event, held);
  noteCacheLoss(known.caches, call, event, counted);
  event.rawUsage = rawUsageText(usage.raw);
  event.providerCostUsd = usage.providerCostUsd;
  if (!usage.complete && event.settleStatus === 'final') event.settleStatus = 'estimated';
  if (usage.subCalls.length === 0) return [event];
  return [event, ...usage.subCalls.map((sub) => subCallEvent(event, call, newId(), sub))];
}

/** Budgets count what the rows say; a row that could not be stored comes back at the bound, at the next start. */
function settleHold({ hold, bound, outputTokens }: CallHold, events: UsageEvent[], lost: boolean): void {
  if (lost && hold.binding && bound !== null) {
    const tokens = bound.tokens(outputTokens);
    const costNanoUsd = bound.costNanoUsd(outputTokens);
    hold.settle({
      costNanoUsd: costNanoUsd ?? 0,
      tokens,
      weightedTokens: bound.weightedTokens(outputTokens),
      unpricedTokens: costNanoUsd === null ? tokens : 0,
    });
    return;
  }
  if (events[0]?.settleStatus === 'refunded') {
    hold.release(); // not even a request
    return;
  }
  const spend = { costNanoUsd: 0, tokens: 0, weightedTokens: 0, unpricedTokens: 0 };
  let cost = 0n;
  for (const event of events) {
    // Every bucket: what budgets in tokens count, and what the ledger's sums add up to.
    const tokens = totalTokens(event.tokens) ?? 0;
    cost += event.costNanoUsd ?? 0n;
    spend.tokens += tokens;
    spend.weightedTokens += event.weightedTokens ?? 0;
    if (event.priceStatus === 'unpriced') spend.unpricedTokens += tokens;
  }
  hold.settle({ ...spend, costNanoUsd: Number(cost) });
}

/** Limits count what the rows say; of an answer that was cut, at least what was kept back for it. */
function settleLease(
  lease: RateLease,
  events: readonly UsageEvent[],
  { facts, complete, nowMs }: { facts: ExchangeFacts; complete: boolean; nowMs: number },
): void {
  const sum: TokenAmounts = { input: 0, output: 0 };
  for (const event of events) {
    const { input, output } = tokenAmounts(event.tokens);
    sum.input += input;
    sum.output += output;
  }
  const untold = !complete && mayBeBilled(facts);
  lease.settle(nowMs, sum, { atLeastHeld: untold });
}

/** The rows of a request. A mistake in reckoning must not leave it open for ever: then its usage is not known. */
function reckon(
  call: Call,
  event: UsageEvent,
  known: { meter: UsageMeter | null; facts: ExchangeFacts; caches: CacheMemory },
  { newId, logger }: SettleDeps,
): { events: UsageEvent[]; complete: boolean } {
  const { meter, facts, caches } = known;
  try {
    event.modelServed = meter?.model() ?? null;
    const usage = meter?.usage() ?? null;
    return {
      events: rowsOf(call, event, { usage, facts, caches }, newId),
      complete: usage?.complete === true,
    };
  } catch (error) {
    logger.error('the usage of an answer could not be reckoned', { requestId: call.id, error });
    return { events: rowsOf(call, event, { usage: null, facts, caches }, newId), complete: false };
  }
}

/** What the upstream counted makes the next estimate better. */
function learnRatio(ratio: TokenRatio, { context, size }: Translation, event: UsageEvent): void {
  const input = totalInputTokens(event.tokens);
  if (event.status === 'ok' && event.settleStatus === 'final' && input > 0)
    ratio.learn(context.model, size, input);
}

/** What a request with a bound came to foretells others like it; passes of tools count the same input again. */
function learnInput(ratios: InputRatios, call: Call, events: readonly UsageEvent[]): void {
  const [event] = events;
  if (call.held === null || call.held.inputBytes === 0 || events.length !== 1 || event === undefined) return;
  const input = totalInputTokens(event.tokens);
  if (event.status === 'ok' && event.settleStatus === 'final' && input > 0)
    ratios.learn(call.flavor, call.facts.model, { bytes: call.held.inputBytes, tokens: input });
}

/** Builds the settle stage: usage → price → journal. Runs once for each request, on every way out. */
export function createSettle(deps: SettleDeps): ExchangeDeps['settle'] {
  const caches = new CacheMemory();
  return (call, facts, result, onSafe) => {
    const meter: UsageMeter | null = result.meter;
    const latencyMs = Math.round(deps.clock.monotonicMs() - call.startedMonotonicMs);
    const event = settledEvent(call, facts, result.outcome, latencyMs);
    const { events, complete } = reckon(call, event, { meter, facts, caches }, deps);
    for (const row of events) deps.metrics.settled(row);
    if (call.translation !== null) learnRatio(deps.translation.ratio, call.translation, event);
    learnInput(deps.recounting.ratios, call, events);
    deps.journal.append(ENTRY_SETTLED, encodeSettled({ openedId: call.id, events }), (error) => {
      if (call.held !== null) settleHold(call.held, events, error !== null);
      if (call.lease !== null)
        settleLease(call.lease, events, { facts, complete, nowMs: deps.clock.monotonicMs() });
      onSafe(error);
    });
  };
}
