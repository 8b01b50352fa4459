import type {
  BudgetQuestion,
  JointAdmission,
  JointDecision,
  JointMove,
  RateQuestion,
} from '../joint-admission.ts';
import type { Decision } from '../limit-state.ts';
import type { TokenAmounts } from '../rate-limit.ts';
import type { RateLease } from '../rate-state.ts';
import { ADMIT_ALL } from './decision-scripts.ts';
import { Question } from './question.ts';
import { once, type RateAsking } from './rate-asking.ts';
import type { AskBooks } from './redis-books.ts';
import { RedisHold } from './redis-hold.ts';
import type { RedisLimits } from './redis-limits.ts';
import type { RedisLink } from './redis-link.ts';
import type { RedisRates } from './redis-rates.ts';
import { SharedLease } from './shared-lease.ts';

interface Asked {
  asking: RateAsking;
  rates: RateQuestion;
  tokens: () => TokenAmounts;
}

/**
 * One script decides about a request in all of its limits and budgets: one trip to Redis, and either everything is
 * counted and reserved or nothing is (X-02, TW-19).
 */
export class RedisJoint implements JointAdmission {
  readonly #rates: RedisRates;
  readonly #budgets: RedisLimits;

  constructor(rates: RedisRates, budgets: RedisLimits) {
    this.#rates = rates;
    this.#budgets = budgets;
  }

  admit(rates: RateQuestion, budgets: BudgetQuestion): Promise<JointDecision> | null {
    if (!this.#budgets.reachable) return null; // limits may still be: they have a connection of their own
    const question = this.#budgets.question(budgets.ask, budgets.bound);
    if (!(question instanceof Question)) return this.#withoutQuestion(question, rates);
    const tokens = once(() => rates.bound());
    const asking = this.#rates.asking(rates.ask, tokens);
    if (asking === null) return this.#budgetsAlone(question);
    return this.#both(question, { asking, rates, tokens });
  }

  move(lease: RateLease, rates: RateQuestion, budgets: BudgetQuestion): Promise<JointMove> | null {
    if (!(lease instanceof SharedLease) || !this.#budgets.reachable) return null;
    const asking = this.#rates.moving(
      lease,
      rates.ask,
      once(() => rates.bound()),
    );
    if (asking === null) return null; // then it is one trip in any case
    const question = this.#budgets.question(budgets.ask, budgets.bound);
    if (question === null) return null;
    if (!(question instanceof Question)) return Promise.resolve({ moved: false, budgets: question });
    return this.#moveBoth(lease, asking, question);
  }

  /** Gives up the slots of the old account on the same connection, ahead of the question: both go out together. */
  async #moveBoth(lease: SharedLease, asking: RateAsking, question: Question): Promise<JointMove> {
    const leaving = this.#rates.leave(lease);
    let limits: readonly string[] = [];
    const budgets = await this.#budgets.decide(question, (link, keys, args) => {
      leaving.tell(link);
      return askAll({ link, asking, keys, args }, (said) => {
        limits = said;
      });
    });
    leaving.tell();
    if (budgets === null || !('hold' in budgets)) {
      leaving.back();
      return { moved: false, budgets };
    }
    // Without an answer in time what cannot be counted is let through, where every budget agrees to that.
    if (budgets.hold instanceof RedisHold && budgets.hold.counted) this.#rates.arrived(lease, asking, limits);
    return { moved: true, budgets };
  }

  /** No budget has to be asked: it has refused already, or there is none. */
  async #withoutQuestion(decision: Decision, { ask, bound }: RateQuestion): Promise<JointDecision> {
    if (decision !== null) return { rates: null, budgets: decision };
    return { rates: await this.#rates.admit(ask, bound), budgets: null };
  }

  async #budgetsAlone(question: Question): Promise<JointDecision> {
    return { rates: null, budgets: await this.#budgets.decide(question) };
  }

  async #both(question: Question, { asking, rates, tokens }: Asked): Promise<JointDecision> {
    let limits: readonly string[] = [];
    const ask: AskBooks = (link, keys, args) =>
      askAll({ link, asking, keys, args }, (said) => {
        limits = said;
      });
    const budgets = await this.#budgets.decide(question, ask);
    if (budgets === null) return { rates: this.#rates.decided(asking, limits), budgets };
    if (!('hold' in budgets)) return { rates: null, budgets };
    if (budgets.hold instanceof RedisHold && budgets.hold.counted)
      return { rates: this.#rates.decided(asking, limits), budgets };
    // Redis did not answer in time and every budget lets requests through then: limits are counted here alone.
    const alone = this.#rates.admitAlone(rates.ask, tokens);
    if (alone === null || 'lease' in alone) return { rates: alone, budgets };
    budgets.hold.release();
    return { rates: alone, budgets: null };
  }
}

/** Asks for both at once. @returns what budgets say; `told` hears of the limits */
async function askAll(
  {
    link,
    asking,
    keys,
    args,
  }: { link: RedisLink; asking: RateAsking; keys: readonly string[]; args: readonly string[] },
  told: (limits: readonly string[]) => void,
): Promise<string[]> {
  const counts = [asking.keys.length, asking.args.length].map(String);
  const allKeys = [...asking.keys, ...keys];
  const answer = await link.decide(ADMIT_ALL, allKeys, [...counts, ...asking.args, ...args]);
  const [limits, budgets] = answer as [string[], string[]];
  told(limits);
  return budgets;
}
