import type { InputSize } from './input-size.ts';

/** English prose and code come to about four bytes a token. */
const DEFAULT_TOKENS_PER_BYTE = 0.25;
/** One answer moves the ratio of its model by this share. */
const LEARNING = 0.2;
/** Figures outside of these say something of the request, not of the model's tokens. */
const [LEAST, MOST] = [0.05, 1];
/** Shorter requests are mostly frame. */
const MIN_BYTES = 400;
const MAX_MODELS = 500;

/** Estimates the input tokens of a request by its bytes, and learns from what upstreams report. */
export interface TokenRatio {
  estimate(model: string, size: InputSize): number;
  learn(model: string, size: InputSize, inputTokens: number): void;
}

/** Learns one ratio a model; what is not known yet is taken at four bytes a token. */
export function createTokenRatio(): TokenRatio {
  const ratios = new Map<string, number>();
  return {
    estimate(model, size) {
      const ratio = ratios.get(model) ?? DEFAULT_TOKENS_PER_BYTE;
      return Math.max(1, Math.ceil(size.textBytes * ratio) + size.mediaTokens);
    },
    learn(model, size, inputTokens) {
      if (size.textBytes < MIN_BYTES) return;
      const seen = (inputTokens - size.mediaTokens) / size.textBytes;
      if (seen < LEAST || seen > MOST) return;
      const before = ratios.get(model);
      if (before === undefined && ratios.size >= MAX_MODELS) ratios.clear(); // clients choose the names
      ratios.set(model, before === undefined ? seen : before + (seen - before) * LEARNING);
    },
  };
}
