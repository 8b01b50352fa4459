import type { InputCounting } from '../provider.ts';
import { readMember } from '../shared/read-field.ts';
import { readCount } from '../shared/scan-content.ts';
import { isObject } from '../shared/usage-fields.ts';

const CALL = /\/(models\/[^/:?]+):(?:streamG|g)enerateContent(\?.*)?$/;

/** The framing of the answer is none of the count's. */
function withoutAlt(query: string): string {
  const kept = query
    .slice(1)
    .split('&')
    .filter((part) => part !== '' && !part.startsWith('alt='));
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}

/** `models.countTokens` with the whole request, so that instructions and tools count too (API reference, "Counting tokens"). */
export const geminiCounting: InputCounting = {
  request(flavor, body, path) {
    const [call, model, query = ''] = CALL.exec(path) ?? [];
    if (flavor !== 'gemini.generate' || call === undefined || model === undefined || !isObject(body))
      return null;
    // Kept at the provider: it is not in the request.
    if ((readMember(body, 'cachedContent') ?? readMember(body, 'cached_content') ?? null) !== null)
      return null;
    const base = path.slice(0, path.length - call.length);
    return {
      path: `${base}/${model}:countTokens${withoutAlt(query)}`,
      body: { generateContentRequest: { ...body, model: decodeURIComponent(model) } },
    };
  },
  read: (answer) => readCount(answer, 'totalTokens'),
};
