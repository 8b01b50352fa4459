import type { TokenBucket } from '@tallygate/contract/usage';
import type { ServedTerms } from './usage.ts';

/** What a request body says about the most that its answer can come to; each wire format reads it in its own way. */
export interface RequestShape {
  /** No text has more tokens than bytes; what is not text counts by the provider's largest formula. */
  inputTokens: number;
  /** The request names content that is not in it (a file, a page, an earlier answer): up to the whole context. */
  reachesBeyondBody: boolean;
  /** How input may be billed. */
  inputBuckets: readonly TokenBucket[];
  /** Output tokens of one answer as asked for; null when the request leaves it to the model. */
  outputTokens: number | null;
  outputBuckets: readonly TokenBucket[];
  /** Answers asked for at once. */
  choices: number;
  /** Uses of the provider's own tools: each is another pass over the context, and may be billed by itself. */
  toolUses: number;
  /** The tiers that the answer may be billed at. */
  terms: readonly ServedTerms[];
  /** Member of the body that limits output; null when there is none. */
  outputMember: string | null;
  /** The lowest output limit the provider takes for this request. */
  minOutputTokens: number;
}

export const LIST_TERMS: ServedTerms = { serviceTier: null, speed: null, geo: null, batch: false };
