import type { Opaque } from './parts.ts';

/** Tokens of an answer; null where the upstream did not say. Input is disjoint, output includes reasoning. */
export interface AnswerUsage {
  inputUncached: number | null;
  cacheRead: number | null;
  cacheWrite: number | null;
  output: number | null;
  reasoning: number | null;
}

export type StopReason =
  | 'end'
  | 'length'
  | 'tools'
  | 'stop-sequence'
  | 'refusal'
  | 'filtered'
  | 'pause'
  | 'context-full';

export interface AnswerError {
  status: number;
  message: string;
}

export type PartKind = 'text' | 'thinking' | 'call' | 'refusal';

/**
 * An answer, piece by piece; a whole one is read as the same list as a streamed one. `part` numbers what belongs
 * together: pieces of several calls may come mixed.
 */
export type AnswerEvent =
  | { type: 'start'; id: string | null; model: string | null }
  | { type: 'text' | 'thinking' | 'refusal'; part: number; text: string }
  | { type: 'opaque'; part: number; opaque: Opaque }
  | { type: 'call'; part: number; id: string; name: string }
  | { type: 'arguments'; part: number; json: string }
  | { type: 'stop'; reason: StopReason; sequence: string | null }
  | { type: 'usage'; usage: AnswerUsage }
  | { type: 'error'; error: AnswerError }
  | { type: 'loss'; name: string }
  | { type: 'ping' }
  | { type: 'end' };

export const NO_USAGE: AnswerUsage = {
  inputUncached: null,
  cacheRead: null,
  cacheWrite: null,
  output: null,
  reasoning: null,
};

/** Input of every kind; null when nothing of it is known. */
export function totalInput({ inputUncached, cacheRead, cacheWrite }: AnswerUsage): number | null {
  if (inputUncached === null && cacheRead === null && cacheWrite === null) return null;
  return (inputUncached ?? 0) + (cacheRead ?? 0) + (cacheWrite ?? 0);
}

/** An error that the upstream put inside its answer. */
export const answerError = (status: number, message: string | null): AnswerEvent => ({
  type: 'error',
  error: { status, message: message ?? 'The upstream ended its answer with an error.' },
});

/** A stream whose end never came. */
export const CUT_ANSWER: AnswerEvent = {
  type: 'error',
  error: { status: 502, message: 'The upstream ended its answer before it was complete.' },
};
