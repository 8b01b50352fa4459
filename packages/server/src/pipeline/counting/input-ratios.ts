/** Tokens for each byte that a request may have, where nothing is learnt: prose in most languages, code and JSON have fewer. */
const DEFAULT_RATIO = 0.4;
/** Of ten requests nine have fewer tokens for each byte than what is learnt. */
const QUANTILE = 0.9;
const STEP = 0.02;
const [LEAST, MOST] = [0.02, 1];
/** Shorter requests are mostly frame. */
const MIN_BYTES = 400;
/** Of each format: clients choose the names of models. */
const MAX_MODELS = 500;

/**
 * How many tokens the bytes of requests came to, by model and format: a high quantile of what was settled, in one number
 * each. It only foretells whether asking the provider is worth the trip; nothing is ever kept back by it, so being wrong
 * costs a trip or a refusal that would have come anyway, and never overshoots a budget.
 */
export interface InputRatios {
  /** Tokens that a request of so many bytes, media counted as what they may come to, is likely to stay below. */
  likely(format: string, model: string | null, bytes: number): number;
  learn(format: string, model: string | null, seen: { bytes: number; tokens: number }): void;
}

/** Moves a little with every request: nine times as far up as down, so that it rests where nine in ten are below. */
export function createInputRatios(): InputRatios {
  const byFormat = new Map<string, Map<string, number>>();
  const ratiosOf = (format: string): Map<string, number> => {
    const known = byFormat.get(format);
    if (known !== undefined) return known;
    const made = new Map<string, number>();
    byFormat.set(format, made);
    return made;
  };
  return {
    likely(format, model, bytes) {
      return Math.ceil(bytes * (byFormat.get(format)?.get(model ?? '') ?? DEFAULT_RATIO));
    },
    learn(format, model, { bytes, tokens }) {
      if (bytes < MIN_BYTES) return;
      const ratios = ratiosOf(format);
      const name = model ?? '';
      const before = ratios.get(name);
      if (before === undefined && ratios.size >= MAX_MODELS) ratios.clear();
      const ratio = before ?? DEFAULT_RATIO;
      const moved = tokens / bytes > ratio ? ratio + STEP * QUANTILE : ratio - STEP * (1 - QUANTILE);
      ratios.set(name, Math.min(MOST, Math.max(LEAST, moved)));
    },
  };
}
