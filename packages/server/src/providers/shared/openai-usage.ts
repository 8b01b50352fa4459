import { type TokenCounts, unknownTokens } from '@tallygate/contract/usage';
import type { ModelUsage, NormalizedUsage } from '../../accounting/usage.ts';
import { readString } from './read-field.ts';
import {
  CountReader,
  decimalText,
  isObject,
  type JsonObject,
  noUnits,
  objectAt,
  plus,
  quarantined,
  scaledText,
} from './usage-fields.ts';

export type OpenaiShape = 'chat' | 'responses' | 'embeddings';

/** What an answer says around its usage. */
export interface OpenaiAnswer {
  shape: OpenaiShape;
  /** Provider id in the price book: some count differently in the same shape. */
  priceProvider: string | null;
  usage: unknown;
  model: string | null;
  serviceTier: string | null;
  /** Web searches the answer lists as output items (Responses); null when it cannot tell. */
  webSearches: number | null;
  complete: boolean;
}

/** How chat usage counts thinking: xAI reports it beside the completion, Google only in the total. */
const REASONING_OUTSIDE: ReadonlySet<string> = new Set(['x-ai']);
const REASONING_IN_TOTAL_ONLY: ReadonlySet<string> = new Set(['google']);

interface Parts {
  prompt: number | null;
  cached: number | null;
  written: number | null;
  audioIn: number | null;
  imageIn: number | null;
  output: number | null;
  reasoning: number | null;
  reasoningOutside: boolean;
  audioOut: number | null;
  imageOut: number | null;
}

function nestedParts(read: CountReader, usage: JsonObject, inputKey: string, outputKey: string): Parts {
  const input = read.details(usage, `${inputKey}_details`);
  const output = read.details(usage, `${outputKey}_details`);
  return {
    prompt: read.count(usage, inputKey),
    cached: read.count(input, 'cached_tokens'),
    written: read.count(input, 'cache_write_tokens'),
    audioIn: read.count(input, 'audio_tokens'),
    imageIn: read.count(input, 'image_tokens'),
    output: read.count(usage, outputKey),
    reasoning: read.count(output, 'reasoning_tokens'),
    reasoningOutside: false,
    audioOut: read.count(output, 'audio_tokens'),
    imageOut: read.count(output, 'image_tokens'),
  };
}

/** DeepSeek counts hits and misses beside the prompt; Moonshot puts `cached_tokens` at the top. */
function withOtherCacheNames(read: CountReader, usage: JsonObject, parts: Parts): void {
  const hit = read.count(usage, 'prompt_cache_hit_tokens');
  const miss = read.count(usage, 'prompt_cache_miss_tokens');
  parts.cached ??= hit ?? read.count(usage, 'cached_tokens');
  if (hit !== null && miss !== null) {
    read.require(parts.prompt === null || parts.prompt === hit + miss);
    parts.prompt ??= hit + miss;
  }
}

/** Places thinking where the provider's own total says it is. */
function withReasoningPlace(
  read: CountReader,
  usage: JsonObject,
  parts: Parts,
  provider: string | null,
): void {
  if (provider === null) return;
  const total = read.count(usage, 'total_tokens');
  const listed = (parts.prompt ?? 0) + (parts.output ?? 0);
  if (REASONING_OUTSIDE.has(provider)) {
    const inside = total === listed && (parts.reasoning ?? 0) <= (parts.output ?? 0);
    parts.reasoningOutside = !inside;
  } else if (
    REASONING_IN_TOTAL_ONLY.has(provider) &&
    parts.reasoning === null &&
    total !== null &&
    total > listed
  ) {
    parts.reasoning = total - listed;
    parts.reasoningOutside = true;
  }
}

function partsOf(read: CountReader, answer: OpenaiAnswer, usage: JsonObject): Parts {
  if (answer.shape === 'responses') return nestedParts(read, usage, 'input_tokens', 'output_tokens');
  const parts = nestedParts(read, usage, 'prompt_tokens', 'completion_tokens');
  withOtherCacheNames(read, usage, parts);
  if (answer.shape === 'embeddings') {
    parts.output ??= 0;
    parts.reasoning ??= 0;
  } else withReasoningPlace(read, usage, parts, answer.priceProvider);
  return parts;
}

/** Everything is inside the prompt: cached and written text, audio, images. Rejected predictions are inside the completion. */
function inputBuckets(read: CountReader, parts: Parts, tokens: TokenCounts): void {
  const { prompt } = parts;
  const cached = parts.cached ?? 0;
  const written = parts.written ?? 0;
  const audio = parts.audioIn ?? 0;
  const image = parts.imageIn ?? 0;
  if (prompt === null) {
    read.require(cached === 0 && written === 0 && audio === 0 && image === 0);
    return;
  }
  read.require(cached + written <= prompt && audio + image <= prompt);
  const fresh = prompt - cached - written;
  // The cache is not split by kind: what of audio and images does not fit beside it must have come out of it.
  const freshAudio = Math.min(audio, fresh);
  const freshImage = Math.min(image, fresh - freshAudio);
  const cachedAudio = Math.min(audio - freshAudio, cached);
  tokens.inputUncached = fresh - freshAudio - freshImage;
  tokens.cacheRead = parts.cached === null ? null : cached - cachedAudio;
  tokens.cacheWriteOther = parts.written;
  tokens.inputAudio = parts.audioIn === null ? null : freshAudio;
  tokens.cacheReadAudio = parts.audioIn === null ? null : cachedAudio;
  tokens.inputImage = parts.imageIn === null ? null : freshImage;
}

function outputBuckets(read: CountReader, parts: Parts, tokens: TokenCounts): void {
  const inside =
    (parts.reasoningOutside ? 0 : (parts.reasoning ?? 0)) + (parts.audioOut ?? 0) + (parts.imageOut ?? 0);
  if (parts.output === null) read.require(inside === 0);
  else {
    read.require(inside <= parts.output);
    tokens.outputVisible = parts.output - inside;
  }
  tokens.outputReasoning = parts.reasoning;
  tokens.outputAudio = parts.audioOut;
  tokens.outputImage = parts.imageOut;
}

/** Kinds this wire format does not have. */
function withImpossible(tokens: TokenCounts): void {
  tokens.cacheWrite5m = 0;
  tokens.cacheWrite1h = 0;
  tokens.inputTool = 0;
}

/**
 * A cost the provider states: OpenRouter `usage.cost` (dollars), Perplexity `usage.cost.total_cost`, xAI
 * `cost_in_usd_ticks` (10⁻¹⁰ dollars).
 */
function statedCost(usage: JsonObject): string | null {
  const cost = isObject(usage.cost) ? usage.cost.total_cost : usage.cost;
  return decimalText(cost) ?? scaledText(usage.cost_in_usd_ticks, 10);
}

/**
 * Normalises the usage of an OpenAI-shaped answer: chat, responses or embeddings, of OpenAI and of everybody who
 * speaks the format. Null when there is no usage. What contradicts itself is quarantined: raw kept, all buckets
 * null. Never throws.
 */
export function normaliseOpenaiUsage(answer: OpenaiAnswer): NormalizedUsage | null {
  const { usage } = answer;
  if (usage === undefined || usage === null) return null;
  const terms: Omit<ModelUsage, 'tokens' | 'units'> = {
    model: answer.model,
    serviceTier: answer.serviceTier,
    speed: null,
    geo: null,
    batch: answer.serviceTier === 'batch',
  };
  if (!isObject(usage)) return quarantined(terms, usage);
  const read = new CountReader();
  const parts = partsOf(read, answer, usage);
  const tokens = unknownTokens();
  inputBuckets(read, parts, tokens);
  outputBuckets(read, parts, tokens);
  if (read.broken) return { ...quarantined(terms, usage), providerCostUsd: statedCost(usage) };
  if (plus(parts.prompt, plus(parts.output, parts.reasoning)) !== null) withImpossible(tokens);
  return {
    ...terms,
    tokens,
    units: noUnits({ webSearchRequests: answer.webSearches }),
    complete: answer.complete,
    subCalls: [],
    providerCostUsd: statedCost(usage),
    raw: usage,
  };
}

/** Searches among the output items of a response; opening a page is not billed as one (developers.openai.com, pricing). */
export function countWebSearches(response: unknown): number | null {
  const output = isObject(response) ? response.output : null;
  if (!Array.isArray(output)) return null;
  let searches = 0;
  for (const item of output) {
    if (!isObject(item) || item.type !== 'web_search_call') continue;
    const action = readString(item.action, 'type');
    if (action === null || action === 'search') searches += 1;
  }
  return searches;
}

/** Usage of an answer wherever the provider put it: `usage`, or Groq's `x_groq.usage` in streams. */
export function usageOf(answer: JsonObject): unknown {
  return answer.usage ?? objectAt(answer, 'x_groq')?.usage ?? null;
}

/**
 * Reads a whole OpenAI-shaped answer, or just `{ usage, service_tier }` of one, telling its kind by the names
 * that it uses. Never throws.
 */
export function readOpenaiAnswer(answer: unknown, priceProvider: string | null): NormalizedUsage | null {
  if (!isObject(answer)) return null;
  const usage = usageOf(answer);
  const isResponse = isObject(usage) && 'input_tokens' in usage && !('prompt_tokens' in usage);
  const isEmbedding = answer.object === 'list' || (!isResponse && Array.isArray(answer.data));
  const shape: OpenaiShape = isResponse ? 'responses' : isEmbedding ? 'embeddings' : 'chat';
  return normaliseOpenaiUsage({
    shape,
    priceProvider,
    usage,
    model: readString(answer, 'model'),
    serviceTier: readString(answer, 'service_tier') ?? readString(usage, 'service_tier'),
    webSearches: isResponse ? countWebSearches(answer) : null,
    complete: true,
  });
}
