import { type TokenCounts, unknownTokens, unknownUnits } from '@tallygate/contract/usage';
import type { ModelUsage, NormalizedUsage } from '../../accounting/usage.ts';
import { isUnknown } from '../../accounting/weighted-tokens.ts';
import { attributeIterations, type Iteration } from './messages-iterations.ts';
import { readString } from './read-field.ts';
import { CountReader, isObject, type JsonObject, noUnits, quarantined } from './usage-fields.ts';

/** More entries than any tool loop makes; beyond it the list is not believed. */
const MAX_ITERATIONS = 1000;

/**
 * Buckets of a usage object (whole answer or iteration). The cache is outside `input_tokens`. Writes that the
 * lifetime split does not cover are billed at the five-minute rate; a split that says more than the total
 * contradicts it. Thinking is inside `output_tokens`, which alone is billed: the detail is a re-tokenised
 * estimate and is dropped when it does not fit.
 */
function tokensOf(read: CountReader, usage: JsonObject): TokenCounts {
  const tokens = unknownTokens();
  tokens.inputUncached = read.count(usage, 'input_tokens');
  tokens.cacheRead = read.count(usage, 'cache_read_input_tokens');
  const split = read.details(usage, 'cache_creation');
  const fiveMinutes = read.count(split, 'ephemeral_5m_input_tokens');
  const oneHour = read.count(split, 'ephemeral_1h_input_tokens');
  const written = read.count(usage, 'cache_creation_input_tokens');
  const listed = (fiveMinutes ?? 0) + (oneHour ?? 0);
  if (written !== null) {
    read.require(listed <= written);
    tokens.cacheWrite5m = written - (oneHour ?? 0);
    tokens.cacheWrite1h = oneHour ?? 0;
  } else {
    tokens.cacheWrite5m = fiveMinutes;
    tokens.cacheWrite1h = oneHour;
  }
  const output = read.count(usage, 'output_tokens');
  const thinking = thinkingTokens(usage);
  const isSplit = output !== null && thinking !== null && thinking <= output;
  tokens.outputVisible = isSplit ? output - thinking : output;
  tokens.outputReasoning = isSplit ? thinking : null;
  if (!isUnknown(tokens)) setImpossible(tokens);
  return tokens;
}

function thinkingTokens(usage: JsonObject): number | null {
  const details = new CountReader();
  const thinking = details.count(details.details(usage, 'output_tokens_details'), 'thinking_tokens');
  return details.broken ? null : thinking;
}

/** Kinds this wire format does not have: images are input tokens, and audio is not offered. */
function setImpossible(tokens: TokenCounts): void {
  tokens.cacheWriteOther = 0;
  tokens.inputAudio = 0;
  tokens.cacheReadAudio = 0;
  tokens.inputImage = 0;
  tokens.inputTool = 0;
  tokens.outputAudio = 0;
  tokens.outputImage = 0;
}

function iterationsOf(read: CountReader, usage: JsonObject): Iteration[] {
  const list = usage.iterations;
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list) || list.length > MAX_ITERATIONS) {
    read.require(false);
    return [];
  }
  const iterations: Iteration[] = [];
  for (const entry of list) {
    if (!isObject(entry)) read.require(false);
    else {
      iterations.push({
        type: readString(entry, 'type') ?? 'message',
        model: readString(entry, 'model'),
        tokens: tokensOf(read, entry),
      });
    }
  }
  return iterations;
}

export interface MessagesAnswer {
  usage: unknown;
  model: string | null;
  /** Tier named beside the usage instead of in it. */
  serviceTier: string | null;
  complete: boolean;
}

/**
 * Normalises the usage of an Anthropic message. Null when there is no usage. What contradicts itself is
 * quarantined: raw kept, all buckets null. Calls reported under another model become `subCalls`; compaction
 * and other calls of the same model that the top level leaves out are added. Never throws.
 */
export function normaliseMessagesUsage({
  usage,
  model,
  serviceTier,
  complete,
}: MessagesAnswer): NormalizedUsage | null {
  if (usage === undefined || usage === null) return null;
  const tier = readString(usage, 'service_tier') ?? serviceTier;
  const terms: Omit<ModelUsage, 'tokens' | 'units' | 'calls'> = {
    model,
    serviceTier: tier,
    speed: readString(usage, 'speed'),
    geo: readString(usage, 'inference_geo'),
    batch: tier === 'batch',
  };
  if (!isObject(usage)) return quarantined(terms, usage);
  const read = new CountReader();
  const top = tokensOf(read, usage);
  const iterations = iterationsOf(read, usage);
  const tools = read.details(usage, 'server_tool_use');
  const units = noUnits({
    webSearchRequests: read.count(tools, 'web_search_requests'),
    webFetchRequests: read.count(tools, 'web_fetch_requests'),
    codeExecutionRequests: read.count(tools, 'code_execution_requests'),
  });
  if (read.broken) return quarantined(terms, usage);
  const { tokens, calls, others, model: served } = attributeIterations(top, iterations, model);
  return {
    ...terms,
    model: model === null ? null : served,
    tokens,
    units,
    ...(calls ? { calls } : {}),
    complete,
    // The answer states its tier, speed and region once, for everything it did.
    subCalls: others.map((other) => ({ ...terms, ...other, units: unknownUnits() })),
    providerCostUsd: null,
    raw: usage,
  };
}

/** The usage of a whole message, or of `{ usage }` of one. */
export function readMessagesAnswer(answer: unknown): NormalizedUsage | null {
  if (!isObject(answer)) return null;
  return normaliseMessagesUsage({
    usage: answer.usage,
    model: readString(answer, 'model'),
    serviceTier: readString(answer, 'service_tier'),
    complete: true,
  });
}
