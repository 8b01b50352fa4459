import type { ApiFlavor, ProviderRoute, RequestFacts } from '../provider.ts';
import { listModels } from './openai-models.ts';
import { openingWords } from './opening-words.ts';
import { readHeader, readMember, readString } from './read-field.ts';

/** The OpenAI wire format, spoken by OpenAI and by every compatible server. */
export const OPENAI_CHAT = 'openai.chat';
export const OPENAI_RESPONSES = 'openai.responses';
export const OPENAI_EMBEDDINGS = 'openai.embeddings';
export const OPENAI_MODELS = 'openai.models';

export const OPENAI_ROUTES: readonly ProviderRoute[] = [
  { method: 'POST', path: '/v1/chat/completions', flavor: OPENAI_CHAT, metered: true },
  { method: 'POST', path: '/v1/responses', flavor: OPENAI_RESPONSES, metered: true },
  { method: 'POST', path: '/v1/embeddings', flavor: OPENAI_EMBEDDINGS, metered: true },
  {
    method: 'GET',
    path: '/v1/models',
    flavor: OPENAI_MODELS,
    metered: false,
    serves: OPENAI_CHAT,
    listModels,
  },
];

/**
 * Facts of a request. A Chat Completions stream reports usage only when `stream_options.include_usage` is true
 * (API reference, "stream_options"), so the gate asks for it when the client did not.
 */
export function openaiFacts(
  flavor: ApiFlavor,
  body: unknown,
  headers: NodeJS.Dict<string | string[]>,
): RequestFacts {
  const stream = readMember(body, 'stream') === true;
  const asked = readMember(readMember(body, 'stream_options'), 'include_usage') === true;
  const sessionId =
    readHeader(headers, 'session_id') ??
    readHeader(headers, 'session-id') ??
    readString(body, 'prompt_cache_key');
  return {
    model: readString(body, 'model'),
    stream,
    sessionId,
    affinity:
      sessionId ??
      readString(body, 'safety_identifier') ??
      readString(body, 'user') ??
      openingWords(
        readMember(body, 'instructions'),
        readMember(body, 'messages') ?? readMember(body, 'input'),
      ),
    injectIncludeUsage: flavor === OPENAI_CHAT && stream && !asked,
  };
}
