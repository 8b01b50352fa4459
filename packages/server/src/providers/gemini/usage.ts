import { type TokenCounts, unknownTokens } from '@tallygate/contract/usage';
import type { UsageNormaliser } from '../../accounting/quote.ts';
import type { ModelUsage, NormalizedUsage } from '../../accounting/usage.ts';
import { readOpenaiAnswer } from '../shared/openai-usage.ts';
import { readString } from '../shared/read-field.ts';
import { CountReader, isObject, type JsonObject, noUnits, quarantined } from '../shared/usage-fields.ts';

const MAX_MODALITIES = 32;

/** Tokens of one modality in a `…TokensDetails` list; null when there is no list. */
function modality(read: CountReader, usage: JsonObject, key: string, wanted: string): number | null {
  const list = usage[key];
  if (list === undefined || list === null) return null;
  if (!Array.isArray(list) || list.length > MAX_MODALITIES) {
    read.require(false);
    return null;
  }
  let tokens = 0;
  for (const entry of list) {
    if (!isObject(entry)) read.require(false);
    else if (entry.modality === wanted) tokens += read.count(entry, 'tokenCount') ?? 0;
  }
  return tokens;
}

interface Prompt {
  total: number;
  cached: number | null;
  audio: number | null;
  image: number | null;
  /** Audio and images among the cached tokens, when the answer splits those. */
  cachedAudio: number | null;
  cachedImage: number | null;
}

function promptOf(read: CountReader, usage: JsonObject): Prompt | null {
  const total = read.count(usage, 'promptTokenCount');
  const rest = {
    cached: read.count(usage, 'cachedContentTokenCount'),
    audio: modality(read, usage, 'promptTokensDetails', 'AUDIO'),
    image: modality(read, usage, 'promptTokensDetails', 'IMAGE'),
    cachedAudio: modality(read, usage, 'cacheTokensDetails', 'AUDIO'),
    cachedImage: modality(read, usage, 'cacheTokensDetails', 'IMAGE'),
  };
  if (total !== null) return { total, ...rest };
  read.require(Object.values(rest).every((count) => (count ?? 0) === 0));
  return null;
}

/** The cache is inside the prompt and has a split of its own; video and documents are billed as text and stay in it. */
function promptBuckets(read: CountReader, prompt: Prompt, tokens: TokenCounts): void {
  const cached = prompt.cached ?? 0;
  const audio = prompt.audio ?? 0;
  const image = prompt.image ?? 0;
  read.require(cached <= prompt.total && audio + image <= prompt.total);
  const fresh = prompt.total - cached;
  const cachedAudio = prompt.cachedAudio ?? Math.max(0, audio - fresh);
  const freshAudio = audio - cachedAudio;
  read.require(freshAudio >= 0 && freshAudio <= fresh && cachedAudio <= cached);
  const freshImage = Math.max(0, Math.min(image - (prompt.cachedImage ?? 0), fresh - freshAudio));
  tokens.inputUncached = fresh - freshAudio - freshImage;
  tokens.cacheRead = prompt.cached === null ? null : cached - cachedAudio;
  tokens.inputAudio = prompt.audio === null ? null : freshAudio;
  tokens.cacheReadAudio = prompt.audio === null && prompt.cachedAudio === null ? null : cachedAudio;
  tokens.inputImage = prompt.image === null ? null : freshImage;
}

/** Thoughts are outside the candidates, the tool prompt is outside the prompt. */
function tokensOf(read: CountReader, usage: JsonObject): TokenCounts {
  const tokens = unknownTokens();
  const prompt = promptOf(read, usage);
  if (prompt) promptBuckets(read, prompt, tokens);
  tokens.inputTool = read.count(usage, 'toolUsePromptTokenCount');
  const candidates = read.count(usage, 'candidatesTokenCount');
  const audio = modality(read, usage, 'candidatesTokensDetails', 'AUDIO');
  const image = modality(read, usage, 'candidatesTokensDetails', 'IMAGE');
  const inside = (audio ?? 0) + (image ?? 0);
  read.require(inside <= (candidates ?? 0));
  tokens.outputVisible = candidates === null ? null : candidates - inside;
  tokens.outputReasoning = read.count(usage, 'thoughtsTokenCount');
  tokens.outputAudio = audio;
  tokens.outputImage = image;
  if (Object.values(tokens).some((count) => count !== null)) {
    tokens.cacheWrite5m = 0;
    tokens.cacheWrite1h = 0;
    tokens.cacheWriteOther = 0;
  }
  return tokens;
}

/** `serviceTier`, or `trafficType` of Vertex AI, where anything but pay-as-you-go has another price. */
function tierOf(usage: unknown): string | null {
  const tier = readString(usage, 'serviceTier')?.toLowerCase() ?? null;
  const traffic = readString(usage, 'trafficType')?.toLowerCase() ?? null;
  return tier ?? (traffic === 'traffic_type_unspecified' ? null : traffic);
}

/**
 * Normalises `usageMetadata` of a Gemini answer. Null when there is none. What contradicts itself is quarantined:
 * raw kept, all buckets null. Never throws.
 */
export function normaliseGeminiUsage(
  usage: unknown,
  model: string | null,
  complete: boolean,
): NormalizedUsage | null {
  if (usage === undefined || usage === null) return null;
  const serviceTier = tierOf(usage);
  const terms: Omit<ModelUsage, 'tokens' | 'units'> = {
    model,
    serviceTier,
    speed: null,
    geo: null,
    batch: serviceTier === 'batch',
  };
  if (!isObject(usage)) return quarantined(terms, usage);
  const read = new CountReader();
  const tokens = tokensOf(read, usage);
  if (read.broken) return quarantined(terms, usage);
  return { ...terms, tokens, units: noUnits(), complete, subCalls: [], providerCostUsd: null, raw: usage };
}

/** For `tallygate price`: a `generateContent` answer, `{ usageMetadata }` of one, or the OpenAI-shaped kind. */
export const geminiNormaliser: UsageNormaliser = {
  providerIds: ['gemini', 'google'],
  priceProvider: 'google',
  fromAnswer(answer) {
    if (!isObject(answer)) return null;
    if (answer.usageMetadata === undefined) return readOpenaiAnswer(answer, 'google');
    return normaliseGeminiUsage(answer.usageMetadata, readString(answer, 'modelVersion'), true);
  },
};
