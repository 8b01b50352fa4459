import type { TokenCounts, UnitCounts } from '@tallygate/contract/usage';

/** What decides the rate besides the model: always as the answer reports it, not as it was asked for. */
export interface ServedTerms {
  /** `service_tier` of the answer: `standard`, `priority`, `batch`, `flex`, `fast`, …; null when not reported. */
  serviceTier: string | null;
  /** Anthropic `speed`: `standard` or `fast`. */
  speed: string | null;
  /** Anthropic `inference_geo`. */
  geo: string | null;
  batch: boolean;
}

/** Usage of one model call in disjoint buckets. */
export interface ModelUsage extends ServedTerms {
  /** Model that served the call as the answer names it; null when it did not say. */
  model: string | null;
  tokens: TokenCounts;
  units: UnitCounts;
  /**
   * The calls that `tokens` is the sum of, when the answer lists them (Anthropic `iterations`): context tiers are
   * chosen for each. Absent for the ordinary answer that is one call.
   */
  calls?: readonly TokenCounts[];
}

/** What a provider's answer says about usage, normalised; `raw` is the provider's own JSON, untouched. */
export interface NormalizedUsage extends ModelUsage {
  /** True when the provider's final usage was seen; false for a stream cut short. */
  complete: boolean;
  /** Calls the answer reports under another model (Anthropic `iterations`); they are not in `tokens`. */
  subCalls: ModelUsage[];
  /** A cost the provider itself states in US dollars (OpenRouter `usage.cost`), kept beside ours. */
  providerCostUsd: string | null;
  raw: unknown;
}
