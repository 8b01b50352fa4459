import type { UsageNormaliser } from '../../accounting/quote.ts';
import { readOpenaiAnswer } from '../shared/openai-usage.ts';

/** Provider id in the price book, and the names a person may use for it. A new provider is a row here, not code. */
const PROVIDERS: readonly (readonly [priceProvider: string, ...names: string[]])[] = [
  ['openrouter', 'openrouter'],
  ['deepseek', 'deepseek'],
  ['mistral', 'mistral'],
  ['x-ai', 'xai', 'x-ai', 'grok'],
  ['groq', 'groq'],
  ['together', 'together'],
  ['fireworks', 'fireworks'],
  ['cerebras', 'cerebras'],
  ['moonshotai', 'moonshot', 'moonshotai', 'kimi'],
  ['perplexity', 'perplexity'],
  ['novita', 'novita'],
  ['minimax', 'minimax'],
  ['zai', 'zai', 'z-ai'],
  // Not in the price book: only an operator's own price can apply.
  ['nvidia', 'nvidia'],
  ['ollama', 'ollama'],
  ['vllm', 'vllm'],
  ['lmstudio', 'lmstudio'],
  ['llamacpp', 'llamacpp'],
  ['compatible', 'compatible'],
];

/** For `tallygate price`: one normaliser for each provider that speaks the OpenAI wire format. */
export const compatibleNormalisers: readonly UsageNormaliser[] = PROVIDERS.map(
  ([priceProvider, ...providerIds]) => ({
    providerIds,
    priceProvider,
    fromAnswer: (answer) => readOpenaiAnswer(answer, priceProvider),
  }),
);
