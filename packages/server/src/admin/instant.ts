import { type InputPlace, invalidInput } from './parse-input.ts';

/** Epoch milliseconds of an instant that its schema has accepted. */
export const toMs = (instant: string): number => Date.parse(instant);

export const toIso = (ms: number): string => new Date(ms).toISOString();
export const toIsoOrNull = (ms: number | null): string | null => (ms === null ? null : toIso(ms));

/** @throws AppError `invalid_request` when the span is empty or runs backwards */
export function assertForward(fromMs: number, toMs: number, where: { in: InputPlace; path: string }): void {
  if (fromMs >= toMs) throw invalidInput([{ ...where, message: 'must be later than the start' }]);
}
