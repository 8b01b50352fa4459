import type { BudgetQuestion, JointAdmission, JointDecision, RateQuestion } from '../joint-admission.ts';
import type { Decision } from '../limit-state.ts';
import type { TokenAmounts } from '../rate-limit.ts';
import { ADMIT_ALL } from './decision-scripts.ts';
import { Question } from './question.ts';
import { once, type RateAsking } from './rate-asking.ts';
import type { AskBooks } from './redis-books.ts';
import { RedisHold } from './redis-hold.ts';
import type { RedisLimits } from './redis-limits.ts';
import type { RedisRates } from './redis-rates.ts';

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

  /** No budget has to be asked: it has refused already, or there is none. */
  async #withoutQuestion(decision: Decision, { ask, bound }: RateQuestion): Promise<JointDecision> {
    if (decision !== null) return { rates: null, budgets: decision };
    return { rates: await this.#rates.admit(ask, bound), budgets: null };
  }

  async #budgetsAlone(question: Question): Promise<JointDecision> {
    return { rates: null, budgets: await this.#budgets.decide(question) };
  }

  async #both(question: Question, { asking, rates, tokens }: Asked): Promise<JointDecision> {
    let limits: string[] = [];
    const ask: AskBooks = async (link, keys, args) => {
      const counts = [asking.keys.length, asking.args.length].map(String);
      const all = { keys: [...asking.keys, ...keys], args: [...counts, ...asking.args, ...args] };
      const answer = (await link.decide(ADMIT_ALL, all.keys, all.args)) as [string[], string[]];
      limits = answer[0];
      return answer[1];
    };
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
