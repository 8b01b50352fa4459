import { ERROR_TABLE } from '@tallygate/contract/errors';
import { anthropicAdapter } from '../providers/anthropic/adapter.ts';
import { renderAnthropicError } from '../providers/anthropic/errors.ts';
import { ANTHROPIC_UTILISATION_PREFIX, anthropicLimitHeaders } from '../providers/anthropic/limit-headers.ts';
import { azureAdapter } from '../providers/azure/adapter.ts';
import { bedrockAdapter } from '../providers/bedrock/adapter.ts';

import { compatibleAdapter } from '../providers/compatible/adapter.ts';
import { geminiAdapter } from '../providers/gemini/adapter.ts';
import { renderGeminiError } from '../providers/gemini/errors.ts';
import { openaiAdapter } from '../providers/openai/adapter.ts';
import { renderOpenaiError } from '../providers/openai/errors.ts';
import { openaiLimitHeaders } from '../providers/openai/limit-headers.ts';
import type { Dialect, ErrorRenderer, LimitHeaderWriter, ProviderAdapter } from '../providers/provider.ts';

/** Every provider this program speaks to. Adding one is its folder and a line here. */
export const ADAPTERS: readonly ProviderAdapter[] = [
  anthropicAdapter,
  openaiAdapter,
  compatibleAdapter,
  geminiAdapter,
  azureAdapter,
  bedrockAdapter,
];

const renderOwnError: ErrorRenderer = ({ code, message, requestId }) => ({
  contentType: 'application/json',
  body: JSON.stringify({
    error: { code, message, requestId, docs: `docs/errors/${code}.md`, status: ERROR_TABLE[code].status },
  }),
});

/** How errors of the gate itself look in each dialect. */
export const ERROR_RENDERERS: Readonly<Record<Dialect, ErrorRenderer>> = {
  anthropic: renderAnthropicError,
  openai: renderOpenaiError,
  gemini: renderGeminiError,
  tallygate: renderOwnError,
};

/** How clients of each dialect are used to reading limits; null where the API has no such headers. */
export const LIMIT_HEADERS: Readonly<Record<Dialect, LimitHeaderWriter | null>> = {
  anthropic: anthropicLimitHeaders,
  openai: openaiLimitHeaders,
  gemini: null,
  tallygate: null,
};

/** What the names of headers begin with that tell clients of a dialect how full their budgets are; null without. */
export const UTILISATION_PREFIXES: Readonly<Record<Dialect, string | null>> = {
  anthropic: ANTHROPIC_UTILISATION_PREFIX,
  openai: null,
  gemini: null,
  tallygate: null,
};
