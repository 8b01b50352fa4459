import type { RateAsk, RateLimit, TokenAmounts } from './rate-limit.ts';

/** How one count of a limit stands: of everybody, or of one key, user, address and so on. */
export interface RateStanding {
  limit: RateLimit;
  /** Whose count it is; empty when everybody is counted together. */
  partition: string;
  used: number;
  /** The part of `used` that requests on their way keep back. */
  held: number;
  left: number;
  /** How long until all that is counted has left, whatever still runs. */
  msUntilEmpty: number;
}

/** Why a request has to wait. */
export interface RateRefusal {
  limit: RateLimit;
  needed: number;
  /** Null when it would wait in vain. */
  retryAfterMs: number | null;
  /** Everything that covers the request, for the client to see. */
  standings: readonly RateStanding[];
}

/**
 * What limits have of one request: slots that are free again when it ends, and tokens that are corrected once they are
 * known. It ends once, on whatever way the request does.
 */
export interface RateLease {
  /** How the limits stood that cover it, as far as is known now. */
  standings(nowMs: number): readonly RateStanding[];
  /**
   * Puts the tokens it came to in the place of those that were kept back. Only the first call counts.
   * @param options.atLeastHeld the answer was cut: what was not told counts as what was kept back
   */
  settle(nowMs: number, tokens: TokenAmounts, options?: { atLeastHeld?: boolean }): void;
  /** The request is over: what it had is free. Tokens that nobody told of count as none. */
  end(nowMs: number): void;
  /** The request was not sent: it does not count at all. */
  refund(nowMs: number): void;
}

/** Null when no limit covers the request. */
export type RateDecision = { lease: RateLease } | { refusal: RateRefusal } | null;

/** Takes a move back; null when there was no room to move to. */
export type UndoMove = (() => void) | null;

/** Deciding whether a request has to wait. State in memory answers at once, state that is shared answers later. */
export interface RateAdmission {
  /** False as long as there are no limits: then nothing has to be asked. */
  readonly active: boolean;
  /**
   * Counts a request in every limit that covers it, in one step: in all of them or in none.
   * @param bound the most tokens it can come to; asked for only when a limit on tokens covers it
   */
  admit(ask: RateAsk, bound: () => TokenAmounts): RateDecision | Promise<RateDecision>;
  /**
   * Moves a lease to the account that `ask` names, which may fall under other limits; the attempt it leaves has
   * counted where it was.
   */
  move(lease: RateLease, ask: RateAsk, bound: () => TokenAmounts): UndoMove | Promise<UndoMove>;
}

/** The counts behind the decisions, as those see them who keep and show them. */
export interface RateState extends RateAdmission {
  /** Puts limits in force; the counts of those that count the same as before go on. */
  replaceAll(limits: readonly RateLimit[]): void;
  /** The counts of a limit that are not at zero, the fullest first. */
  standings(
    id: string,
    nowMs: number,
    most: number,
  ): { total: number; fullest: RateStanding[] } | Promise<{ total: number; fullest: RateStanding[] }>;
}
