import { type HeldPart, Hold, type HoldBooks } from '../budget-hold.ts';

/** A hold that Redis may know of. */
export class RedisHold extends Hold {
  /** False when the request was let through while Redis was out of reach: nothing is kept back for it. */
  readonly counted: boolean;
  readonly madeAtMs: number;

  constructor(
    request: { id: string; startedAtMs: number; clampedTo: number | null },
    parts: readonly HeldPart[],
    books: HoldBooks,
    kept: { counted: boolean; madeAtMs: number },
  ) {
    super(request, parts, books);
    this.counted = kept.counted;
    this.madeAtMs = kept.madeAtMs;
  }
}
