import type { Reasoning } from './ask.ts';

/** The level that comes nearest to a number of thinking tokens, for formats that only know levels. */
export function effortOf({ effort, budgetTokens }: Reasoning): string | null {
  if (effort !== null) return effort === 'max' ? 'xhigh' : effort;
  if (budgetTokens === null) return null;
  if (budgetTokens <= 2_048) return 'low';
  return budgetTokens <= 12_000 ? 'medium' : 'high';
}

/** Thinking tokens for a level, for formats that want a number. */
const BUDGETS: ReadonlyMap<string, number> = new Map([
  ['minimal', 1_024],
  ['low', 2_048],
  ['medium', 8_192],
  ['high', 24_576],
  ['xhigh', 32_000],
  ['max', 32_000],
]);

export function budgetOf({ effort, budgetTokens }: Reasoning): number {
  return budgetTokens ?? BUDGETS.get(effort ?? '') ?? 8_192;
}
