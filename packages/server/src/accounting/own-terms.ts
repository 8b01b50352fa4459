/**
 * Factors on token rates for the terms an answer reports, kept by hand because the snapshot has none. A model
 * or a term that is missing here has no published price, and its rows stay unpriced.
 */
export interface TermsFactor {
  num: number;
  den: number;
  /** Published for the normal context only: a request in a long-context tier has no known price. */
  normalContextOnly: boolean;
}

/** Factor for every model of the provider, or by price card. */
export type FactorRule = TermsFactor | ReadonlyMap<string, TermsFactor>;

export interface ProviderTerms {
  tiers: Readonly<Record<string, FactorRule>>;
  speeds: Readonly<Record<string, FactorRule>>;
  geos: Readonly<Record<string, FactorRule>>;
}

const factor = (num: number, den = 1): TermsFactor => ({ num, den, normalContextOnly: false });
const shortContext = (num: number, den = 1): TermsFactor => ({ num, den, normalContextOnly: true });
const forModels = (rule: TermsFactor, models: readonly string[]): ReadonlyMap<string, TermsFactor> =>
  new Map(models.map((model) => [model, rule]));

export const LIST_PRICE = factor(1);
const HALF = factor(1, 2);

/** Names that providers report for "no special tier". */
export const STANDARD_TIERS: ReadonlySet<string> = new Set(['standard', 'default', 'auto', 'on_demand']);

/**
 * OpenAI priority processing, sold as fast mode since GPT-5.6 (openai.com/api-priority-processing; the pricing
 * page: twice the list price on the later models). Long context is excluded from it.
 */
const OPENAI_PRIORITY: ReadonlyMap<string, TermsFactor> = new Map([
  ['gpt-4o', shortContext(17, 10)],
  ['gpt-4o-2024-05-13', shortContext(7, 4)],
  ['gpt-4o-mini', shortContext(5, 3)],
  ...forModels(shortContext(7, 4), ['gpt-4.1', 'gpt-4.1-mini', 'o3']),
  ['o4-mini', shortContext(20, 11)],
  ['gpt-5-mini', shortContext(9, 5)],
  ['gpt-5.5', shortContext(5, 2)],
  ...forModels(shortContext(2), ['gpt-4.1-nano', 'gpt-5', 'gpt-5.1', 'gpt-5.2', 'gpt-5.3-codex', 'gpt-5.4']),
  ...forModels(shortContext(2), ['gpt-5.4-mini', 'gpt-5.6-luna', 'gpt-5.6-sol', 'gpt-5.6-terra']),
  ...forModels(shortContext(2), ['gpt-6-astra', 'gpt-6-luna', 'gpt-6-sol']),
]);

/** `inference_geo: us` is offered from Opus 4.6 and Sonnet 4.6 on (platform.claude.com, data residency). */
const ANTHROPIC_RESIDENT = [
  'claude-opus-4-6',
  'claude-opus-4-7',
  'claude-opus-4-8',
  'claude-opus-5',
  'claude-opus-5-5',
  'claude-sonnet-4-6',
  'claude-sonnet-5',
  'claude-fable-5',
  'claude-fable-5-1',
];

/** Gemini: batch and flex are half, priority is 1.8 times (ai.google.dev/gemini-api/docs/pricing). */
const GEMINI_HALF = forModels(HALF, [
  'gemini-3.5-flash',
  'gemini-3.5-flash-lite',
  'gemini-3.6-flash',
  'gemini-3.7-flash',
  'gemini-3.8-flash',
]);

export const OWN_TERMS: Readonly<Record<string, ProviderTerms>> = {
  anthropic: {
    // No `priority`: it is sold as committed capacity, so the price of a token is in the contract.
    tiers: { batch: HALF },
    // Fast mode, code.claude.com/docs: $10/$50 on Opus 5 and 4.8 over the whole window, $30/$150 on 4.6.
    speeds: {
      fast: new Map([
        ['claude-opus-4-6', factor(6)],
        ...forModels(factor(2), ['claude-opus-4-8', 'claude-opus-5']),
      ]),
    },
    geos: {
      global: LIST_PRICE,
      not_available: LIST_PRICE,
      us: forModels(factor(11, 10), ANTHROPIC_RESIDENT),
    },
  },
  openai: {
    // No `scale`: its units are bought in advance.
    tiers: { batch: HALF, flex: HALF, priority: OPENAI_PRIORITY, fast: OPENAI_PRIORITY },
    speeds: {},
    geos: {},
  },
  google: {
    tiers: {
      batch: GEMINI_HALF,
      flex: GEMINI_HALF,
      priority: forModels(factor(9, 5), ['gemini-3.7-flash', 'gemini-3.8-flash']),
    },
    speeds: {},
    geos: {},
  },
  groq: {
    // console.groq.com/docs: flex costs what on demand costs, batch is half.
    tiers: { flex: LIST_PRICE, batch: HALF },
    speeds: {},
    geos: {},
  },
};
