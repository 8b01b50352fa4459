import type { TokenBucket } from '@tallygate/contract/usage';
import { LIST_TERMS, type RequestShape } from '../../accounting/request-shape.ts';
import type { ServedTerms } from '../../accounting/usage.ts';
import type { ApiFlavor } from '../provider.ts';
import { OPENAI_EMBEDDINGS, OPENAI_RESPONSES } from './openai-request.ts';
import { readMember, readString } from './read-field.ts';
import { readAsked, readObjects, scanContent } from './scan-content.ts';

/** What frames a message is shorter than the JSON that frames it here; this is for the frame of the whole. */
const TEMPLATE_TOKENS = 16;
/** Instructions that come with tools. */
const TOOL_TEMPLATE_TOKENS = 1_000;
/** An image at full detail (guide, "Images and vision"); gpt-4o-mini counts 2,833 and 5,667 for each of 8 tiles. */
const IMAGE_TOKENS = 12_000;
const MINI_IMAGE_TOKENS = 48_200;
/** The API sets no bound of its own on uses of hosted tools: this many are reckoned with. */
const HOSTED_TOOL_USES = 10;
const CLIENT_TOOLS = new Set(['function', 'custom', 'local_shell', 'apply_patch', 'computer_use_preview']);
/** Responses refuses less (API reference, `max_output_tokens`). */
const MIN_RESPONSES_OUTPUT = 16;

function imageTokens(model: string | null): number {
  return model?.startsWith('gpt-4o-mini') === true ? MINI_IMAGE_TOKENS : IMAGE_TOKENS;
}

function hostedToolUses(body: unknown): number {
  let uses = readMember(body, 'web_search_options') === undefined ? 0 : 1;
  for (const tool of readObjects(body, 'tools')) {
    const type = readString(tool, 'type');
    if (type !== null && !CLIENT_TOOLS.has(type)) uses += HOSTED_TOOL_USES;
  }
  const bounded = readAsked(body, 'max_tool_calls');
  return bounded === null ? uses : Math.min(uses, bounded);
}

/** Both terms that may apply: a tier that is asked for may be given, or fall back to the standard one. */
function termsOf(body: unknown): ServedTerms[] {
  const serviceTier = readString(body, 'service_tier');
  if (serviceTier === null || serviceTier === 'auto' || serviceTier === 'default') return [LIST_TERMS];
  return [LIST_TERMS, { ...LIST_TERMS, serviceTier }];
}

const OUTPUT_MEMBERS = ['max_completion_tokens', 'max_tokens'];

/** Servers that take no limit of zero mean by it that there is none. */
const limitAsked = (body: unknown, name: string): number | null => readAsked(body, name) || null;

interface OutputAsk {
  outputTokens: number | null;
  outputMember: string | null;
  minOutputTokens: number;
}

/** `max_completion_tokens` replaced `max_tokens`; servers that know only the old name are met with it. */
function outputAsk(flavor: ApiFlavor, body: unknown, oldNames: boolean): OutputAsk {
  if (flavor === OPENAI_RESPONSES) {
    return {
      outputTokens: limitAsked(body, 'max_output_tokens'),
      outputMember: 'max_output_tokens',
      minOutputTokens: MIN_RESPONSES_OUTPUT,
    };
  }
  const given = OUTPUT_MEMBERS.filter((name) => readMember(body, name) != null);
  const [only = oldNames ? 'max_tokens' : 'max_completion_tokens', other] = given;
  if (other === undefined)
    return { outputTokens: limitAsked(body, only), outputMember: only, minOutputTokens: 1 };
  // Which of two limits a server goes by is its own affair: the larger counts, and neither is touched.
  const limits = given.map((name) => limitAsked(body, name));
  const known = limits.filter((limit) => limit !== null);
  const outputTokens = known.length < limits.length ? null : Math.max(...known);
  return { outputTokens, outputMember: null, minOutputTokens: 1 };
}

/** A rejected prediction is billed as output beside the answer (guide, "Predicted outputs"). */
function predictedTokens(body: unknown, bodyBytes: number): number {
  return readMember(body, 'prediction') == null ? 0 : bodyBytes;
}

/**
 * What a request in the OpenAI format can come to at most.
 * @param options.oldNames the server may know `max_tokens` only
 */
export function openaiShape(
  flavor: ApiFlavor,
  body: unknown,
  options: { bodyBytes: number; oldNames: boolean },
): RequestShape {
  const { bodyBytes } = options;
  const scan = scanContent(body);
  const model = readString(body, 'model');
  // Caching is automatic: a part of the input may be billed as written to the cache without being asked for.
  const inputBuckets: TokenBucket[] = ['inputUncached', 'cacheWriteOther'];
  if (scan.audio) inputBuckets.push('inputAudio');
  if (scan.images > 0) inputBuckets.push('inputImage');
  const outputBuckets: TokenBucket[] = ['outputVisible', 'outputReasoning'];
  if (readMember(body, 'modalities') !== undefined) outputBuckets.push('outputAudio', 'outputImage');
  const embeds = flavor === OPENAI_EMBEDDINGS;
  const ask = outputAsk(flavor, body, options.oldNames);
  const predicted = predictedTokens(body, bodyBytes);
  const template = TEMPLATE_TOKENS + (readObjects(body, 'tools').length > 0 ? TOOL_TEMPLATE_TOKENS : 0);
  const media = scan.images * imageTokens(model) - scan.imageBytes;
  return {
    inputTokens: bodyBytes + media + template + predicted,
    reachesBeyondBody:
      scan.beyondBody ||
      readMember(body, 'previous_response_id') != null ||
      readMember(body, 'conversation') != null ||
      readMember(body, 'prompt') instanceof Object,
    inputBuckets,
    outputTokens: embeds ? 0 : ask.outputTokens,
    outputBuckets: embeds ? [] : outputBuckets,
    choices: Math.max(1, readAsked(body, 'n') ?? 1),
    toolUses: hostedToolUses(body),
    terms: termsOf(body),
    outputMember: embeds || predicted > 0 ? null : ask.outputMember,
    minOutputTokens: ask.minOutputTokens,
  };
}
