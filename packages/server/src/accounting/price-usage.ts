import {
  type PriceStatus,
  TOKEN_BUCKETS,
  type TokenBucket,
  type TokenCounts,
  UNIT_COUNTS,
  type UnitCount,
} from '@tallygate/contract/usage';
import type { PriceBook } from './price-book.ts';
import {
  levelFor,
  type PriceCard,
  type PricePeriod,
  periodAt,
  type Rate,
  type RateSet,
} from './price-card.ts';
import { nanoFromPico, nanoFromSafePico } from './rounding.ts';
import { termsFactor } from './service-terms.ts';
import type { ModelUsage } from './usage.ts';
import { isUnknown, totalInputTokens } from './weighted-tokens.ts';

/** One line of the bill: `quantity × ratePicoUsd = amountPicoUsd`, exactly. */
export interface PriceLine {
  /** Token bucket, server-tool use, or `request`. */
  unit: TokenBucket | UnitCount | 'request';
  quantity: number;
  ratePicoUsd: bigint;
  amountPicoUsd: bigint;
}

export interface PricedUsage {
  /** Null unless the status is `priced` or `free`: unknown is never zero. */
  costNanoUsd: bigint | null;
  priceStatus: PriceStatus;
  /** Card and version of the price book used; null when there is no cost. */
  priceCard: string | null;
  lines: PriceLine[];
}

export interface PriceQuestion {
  /** Provider id in the price book. */
  provider: string;
  usage: ModelUsage;
  /** Model to price by when the answer did not name one. */
  fallbackModel: string | null;
  /** When the request started, milliseconds since 1970. */
  atMs: number;
}

/** Adds up in pico-USD; BigInt only beyond what a number holds exactly. */
class Bill {
  readonly lines: PriceLine[] = [];
  #safePico = 0;
  #bigPico = 0n;

  add(unit: PriceLine['unit'], quantity: number, rate: Rate): void {
    const amount = quantity * rate.pico;
    const sum = this.#safePico + amount;
    let amountPicoUsd: bigint;
    if (sum <= Number.MAX_SAFE_INTEGER) {
      this.#safePico = sum;
      amountPicoUsd = BigInt(amount);
    } else {
      amountPicoUsd = BigInt(quantity) * rate.picoBig;
      this.#bigPico += amountPicoUsd;
    }
    this.lines.push({ unit, quantity, ratePicoUsd: rate.picoBig, amountPicoUsd });
  }

  costNanoUsd(): bigint {
    if (this.#bigPico === 0n) return nanoFromSafePico(this.#safePico);
    return nanoFromPico(this.#bigPico + BigInt(this.#safePico));
  }
}

const without = (priceStatus: PriceStatus): PricedUsage => ({
  costNanoUsd: null,
  priceStatus,
  priceCard: null,
  lines: [],
});

function saysNothing({ tokens, units }: ModelUsage): boolean {
  return isUnknown(tokens) && UNIT_COUNTS.every((unit) => units[unit] === null);
}

/** False when something was used that the card has no rate for. */
function addTokens(bill: Bill, tokens: TokenCounts, rates: RateSet): boolean {
  for (let index = 0; index < TOKEN_BUCKETS.length; index += 1) {
    const bucket = TOKEN_BUCKETS[index];
    const count = bucket === undefined ? null : tokens[bucket];
    if (bucket === undefined || count === null || count === 0) continue;
    const rate = rates.buckets[index];
    if (!rate) return false;
    bill.add(bucket, count, rate);
  }
  return true;
}

/**
 * Code execution is billed by container hours, of which each organisation has some for free: no answer says what
 * a use cost, and it is never part of ours. An operator's own rate for it counts.
 */
const BILLED_ELSEWHERE: ReadonlySet<UnitCount> = new Set(['codeExecutionRequests']);

function addUses(bill: Bill, usage: ModelUsage, rates: RateSet): boolean {
  for (let index = 0; index < UNIT_COUNTS.length; index += 1) {
    const unit = UNIT_COUNTS[index];
    const count = unit === undefined ? null : usage.units[unit];
    if (unit === undefined || count === null || count === 0) continue;
    const rate = rates.uses[index];
    if (rate) bill.add(unit, count, rate);
    else if (!BILLED_ELSEWHERE.has(unit)) return false;
  }
  return true;
}

function billFor(provider: string, card: PriceCard, period: PricePeriod, usage: ModelUsage): Bill | null {
  const factor = termsFactor(provider, card.model, usage);
  if (factor === null) return null;
  const bill = new Bill();
  // A context tier is chosen for each call; an answer that lists its calls is not one long call.
  const calls = period.levels.length > 1 && usage.calls ? usage.calls : [usage.tokens];
  let first: RateSet | null = null;
  for (const tokens of calls) {
    const level = levelFor(period, totalInputTokens(tokens));
    if (!level || (factor.normalContextOnly && level.overTokens >= 0)) return null;
    const rates = level.rates(factor);
    first ??= rates;
    if (!addTokens(bill, tokens, rates)) return null;
  }
  if (!first || !addUses(bill, usage, first)) return null;
  if (first.request) bill.add('request', 1, first.request);
  return bill;
}

/**
 * Prices one call: whole-request context tier, the rates of that day and hour, the terms the answer reports.
 * Everything used must have a rate, else the whole is `unpriced`; a bucket the answer left out adds nothing.
 * Rounded once, half to even, from pico- to nano-USD. Never throws.
 */
export function priceUsage(
  book: PriceBook,
  { provider, usage, fallbackModel, atMs }: PriceQuestion,
): PricedUsage {
  if (saysNothing(usage)) return without('no_usage');
  const model = usage.model ?? fallbackModel;
  if (model === null) return without('unpriced');
  const { overrides, card } = book.resolve(provider, model);
  for (const override of overrides) {
    const period = periodAt(override, atMs);
    if (period) return priceBy(provider, override, period, usage);
  }
  const period = card && periodAt(card, atMs);
  return card && period ? priceBy(provider, card, period, usage) : without('unpriced');
}

function priceBy(provider: string, card: PriceCard, period: PricePeriod, usage: ModelUsage): PricedUsage {
  if (card.free) return { costNanoUsd: 0n, priceStatus: 'free', priceCard: card.label, lines: [] };
  const bill = billFor(provider, card, period, usage);
  if (!bill) return without('unpriced');
  return { costNanoUsd: bill.costNanoUsd(), priceStatus: 'priced', priceCard: card.label, lines: bill.lines };
}
