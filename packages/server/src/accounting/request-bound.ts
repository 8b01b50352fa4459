import { TOKEN_BUCKETS, type TokenBucket, type TokenCounts, unknownTokens } from '@tallygate/contract/usage';
import { CONTEXT_TOKENS, modelOutputTokens, TOOL_RESULT_TOKENS } from './output-limits.ts';
import type { PriceBook } from './price-book.ts';
import { type PriceCard, type PricePeriod, periodAt, type RateSet } from './price-card.ts';
import type { RequestShape } from './request-shape.ts';
import { termsFactor } from './service-terms.ts';
import { weightedTokens } from './weighted-tokens.ts';

const PICO_PER_NANO = 1_000;

/** Where the rate of a bucket stands in a set of rates. */
const BUCKET_PLACES = Object.fromEntries(TOKEN_BUCKETS.map((bucket, place) => [bucket, place])) as Record<
  TokenBucket,
  number
>;

/** The dearest way in which a request may be billed. Pico-USD. */
interface WorstRates {
  inputPico: number;
  outputPico: number;
  outputBucket: TokenBucket;
  usePico: number;
  requestPico: number;
  card: string;
}

export interface BoundQuestion {
  /** Provider id in the price book; null when its prices are unknown. */
  provider: string | null;
  model: string | null;
  atMs: number;
}

function dearest(
  buckets: readonly TokenBucket[],
  rates: RateSet,
): [pico: number, bucket: TokenBucket | null] {
  let [worst, at]: [number, TokenBucket | null] = [0, null];
  for (const bucket of buckets) {
    const rate = rates.buckets[BUCKET_PLACES[bucket]];
    if (rate && (at === null || rate.pico > worst)) [worst, at] = [rate.pico, bucket];
  }
  return [worst, at];
}

function raise(worst: WorstRates, rates: RateSet, shape: RequestShape): boolean {
  const [inputPico, inputBucket] = dearest(shape.inputBuckets, rates);
  const [outputPico, outputBucket] = dearest(shape.outputBuckets, rates);
  if (inputBucket === null || (outputBucket === null && shape.outputBuckets.length > 0)) return false;
  worst.inputPico = Math.max(worst.inputPico, inputPico);
  if (outputBucket !== null && outputPico >= worst.outputPico) {
    worst.outputPico = outputPico;
    worst.outputBucket = outputBucket;
  }
  for (const use of rates.uses) worst.usePico = Math.max(worst.usePico, use?.pico ?? 0);
  worst.requestPico = Math.max(worst.requestPico, rates.request?.pico ?? 0);
  return true;
}

/** The rates of every context tier the request can reach, under every tier of service it may be given. */
function worstRates(
  provider: string,
  found: { card: PriceCard; period: PricePeriod },
  shape: RequestShape,
  inputTokens: number,
): WorstRates | null {
  const { card, period } = found;
  const worst: WorstRates = {
    inputPico: 0,
    outputPico: 0,
    outputBucket: 'outputVisible',
    usePico: 0,
    requestPico: 0,
    card: card.label,
  };
  let priced = false;
  for (const terms of shape.terms) {
    const factor = termsFactor(provider, card.model, terms);
    if (factor === null) return null;
    for (const level of period.levels) {
      if (level.overTokens >= inputTokens || (factor.normalContextOnly && level.overTokens >= 0)) continue;
      if (raise(worst, level.rates(factor), shape)) priced = true;
    }
  }
  return priced ? worst : null;
}

function cardFor(
  book: PriceBook,
  { provider, model, atMs }: BoundQuestion,
): { card: PriceCard; period: PricePeriod } | null {
  if (provider === null || model === null) return null;
  const { overrides, card } = book.resolve(provider, model);
  for (const candidate of card === null ? overrides : [...overrides, card]) {
    const period = periodAt(candidate, atMs);
    if (period) return { card: candidate, period };
  }
  return null;
}

/** The most that one request can come to, before it is sent. */
export class RequestBound {
  readonly outputTokens: number;
  readonly minOutputTokens: number | null;
  readonly #shape: RequestShape;
  readonly #inputTokens: number;
  readonly #free: string | null;
  readonly #rates: WorstRates | null;

  constructor(book: PriceBook, question: BoundQuestion, shape: RequestShape) {
    this.#shape = shape;
    const textless = shape.outputBuckets.length === 0;
    this.outputTokens = textless
      ? 0
      : (shape.outputTokens ?? modelOutputTokens(question.provider, question.model));
    this.minOutputTokens = textless || shape.outputMember === null ? null : shape.minOutputTokens;
    this.#inputTokens = shape.reachesBeyondBody
      ? Math.max(shape.inputTokens, CONTEXT_TOKENS)
      : shape.inputTokens;
    const found = cardFor(book, question);
    this.#free = found?.card.free ? found.card.label : null;
    this.#rates =
      found && question.provider !== null && this.#free === null
        ? worstRates(question.provider, found, shape, this.#totalInput(this.outputTokens))
        : null;
  }

  /** Card that the bound was priced by; null without a price. */
  get priceCard(): string | null {
    return this.#free ?? this.#rates?.card ?? null;
  }

  /** The provider may read the input more than once, and say so only at the end. */
  get repeatsInput(): boolean {
    return this.#shape.toolUses > 0;
  }

  get free(): boolean {
    return this.#free !== null;
  }

  /** Rounded up, so that no later rounding can exceed it. Null when there is no price. */
  costNanoUsd(outputTokens: number): number | null {
    if (this.#free !== null) return 0;
    if (this.#rates === null) return null;
    const { inputPico, outputPico, usePico, requestPico } = this.#rates;
    const pico =
      this.#totalInput(outputTokens) * inputPico +
      this.#totalOutput(outputTokens) * outputPico +
      this.#shape.toolUses * usePico +
      requestPico;
    return Math.min(Math.ceil(pico / PICO_PER_NANO) + 1, Number.MAX_SAFE_INTEGER);
  }

  tokens(outputTokens: number): number {
    return this.#totalInput(outputTokens) + this.#totalOutput(outputTokens);
  }

  /** Input at the heaviest of the ways in which it may be billed; one more for each row that is rounded. */
  weightedTokens(outputTokens: number): number {
    const input = this.#totalInput(outputTokens);
    const weights = this.#shape.inputBuckets.map((bucket) =>
      weightedTokens({ ...unknownTokens(), [bucket]: input }),
    );
    const output = { ...unknownTokens(), outputVisible: this.#totalOutput(outputTokens) };
    return (
      Math.max(input, ...weights.map((weight) => weight ?? 0)) +
      (weightedTokens(output) ?? 0) +
      1 +
      this.#shape.toolUses
    );
  }

  /** The bound as a row has it: what a crash leaves behind is counted by this. */
  tokenCounts(outputTokens: number): TokenCounts {
    const counts = unknownTokens();
    counts.inputUncached = this.#totalInput(outputTokens);
    counts[this.#rates?.outputBucket ?? 'outputVisible'] = this.#totalOutput(outputTokens);
    return counts;
  }

  /** Each use of a tool is another pass over everything so far and what the tools brought. */
  #totalInput(outputTokens: number): number {
    const uses = this.#shape.toolUses;
    if (uses === 0) return this.#inputTokens;
    const grown = ((uses * (uses + 1)) / 2) * (TOOL_RESULT_TOKENS + outputTokens);
    return this.#inputTokens * (uses + 1) + grown;
  }

  #totalOutput(outputTokens: number): number {
    return outputTokens * this.#shape.choices * (this.#shape.toolUses + 1);
  }
}
