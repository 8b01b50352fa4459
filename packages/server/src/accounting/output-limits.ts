/**
 * The most output tokens a model gives when the request names no limit, from the providers' model pages. What is not
 * listed counts as `UNKNOWN_MODEL`, the largest that any of these providers offers.
 */
const OUTPUT_LIMITS: Readonly<Record<string, readonly [pattern: RegExp, tokens: number][]>> = {
  openai: [
    [/^gpt-4o(-|$)/, 16_384],
    [/^gpt-4\.1/, 32_768],
    [/^gpt-4-turbo|^gpt-3\.5/, 4_096],
    [/^gpt-4(-|$)/, 8_192],
    [/^o\d/, 100_000],
  ],
  anthropic: [
    [/^claude-(opus-4-1|opus-4-2|opus-4$|3-5)/, 32_000],
    [/^claude-(sonnet-4|haiku-4|opus-4-5)/, 64_000],
  ],
};
const UNKNOWN_MODEL = 128_000;

/** Output limit of a model that was asked for without one. */
export function modelOutputTokens(provider: string | null, model: string | null): number {
  const own = provider !== null && Object.hasOwn(OUTPUT_LIMITS, provider) ? OUTPUT_LIMITS[provider] : [];
  return own?.find(([pattern]) => model !== null && pattern.test(model))?.[1] ?? UNKNOWN_MODEL;
}

/** No context of a listed provider is larger (developers.openai.com: 1,050,000; platform.claude.com: 1,000,000). */
export const CONTEXT_TOKENS = 1_050_000;

/** What one use of a provider's own tool may bring into the context: a search's results or a fetched page. */
export const TOOL_RESULT_TOKENS = 50_000;
