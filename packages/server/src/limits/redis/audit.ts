import type { Books } from './membership.ts';
import type { RedisHold } from './redis-hold.ts';
import type { RedisLink } from './redis-link.ts';

export interface AuditDeps {
  link: RedisLink;
  holdsKey(generation: string): string;
  /** Requests on their way in this process. */
  open(): RedisHold[];
  /** True while a decision about the request, or its end, is on its way to Redis. */
  isAsking(requestId: string): boolean;
  /** Gives back a hold that no request stands behind. */
  release(requestId: string, startedAtMs: number): void;
  /** Redis does not know what it said it keeps. */
  lost(): void;
}

const EVERY_BEATS = 10;
/** A hold this old has certainly arrived, if it ever was. */
const SETTLED_AFTER_MS = 5_000;

/**
 * Compares what Redis keeps for this process with what is on its way here, every few seconds. A decision that came
 * after its deadline leaves a hold that nobody knows; a Redis that failed over may have forgotten some.
 */
export class Audit {
  readonly #deps: AuditDeps;
  #beats = 0;
  #suspects = new Set<string>();

  constructor(deps: AuditDeps) {
    this.#deps = deps;
  }

  async beat({ generation }: Books): Promise<void> {
    this.#beats += 1;
    if (this.#beats % EVERY_BEATS !== 0 && this.#suspects.size === 0) return;
    const { link, holdsKey, isAsking, release, lost } = this.#deps;
    const before = performance.now();
    const kept = new Set((await link.command('HKEYS', holdsKey(generation))) as string[]);
    const open = this.#deps.open();
    const known = new Set(open.map(({ requestId }) => requestId));
    const missing = open.some(
      ({ requestId, counted, madeAtMs }) =>
        counted && !kept.has(requestId) && !isAsking(requestId) && madeAtMs < before - SETTLED_AFTER_MS,
    );
    if (missing) return lost();
    const strangers = [...kept].filter((id) => !known.has(id) && !isAsking(id));
    const suspects = new Set<string>();
    for (const id of strangers) {
      if (this.#suspects.has(id)) release(id, Number.MAX_SAFE_INTEGER);
      else suspects.add(id); // its end may have been on its way when Redis was asked
    }
    this.#suspects = suspects;
  }
}
