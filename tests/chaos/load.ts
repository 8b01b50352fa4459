import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@tallygate/testkit/eventually';
import { CutAnswer, type RawAnswer, rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import type { Dice } from './dice.ts';
import { type Api, drawPlan, MODEL_OF, type Plan } from './plan.ts';
import { SESSION_HEADER } from './scripted-upstream.ts';

/**
 * How a request ended for its client. `complete`: all of a JSON body, or a stream up to its terminal event or its
 * end. `turned-away`: the gate itself refused it. `left`: the client gave up. `cut`: anything less.
 */
export type Ending = 'complete' | 'turned-away' | 'left' | 'cut';

export interface CallRecord {
  plan: Plan;
  ending: Ending;
  /** Of the answer, null when its head did not arrive. */
  httpStatus: number | null;
  /** It ended while the server was certainly alive: no kill had been sent. */
  beforeKill: boolean;
}

export interface LoadOptions {
  port: number;
  /** Keys of a project that stops the upstream when its client leaves, and of one that drains it. */
  keys: { abort: string; drain: string };
  dice: Dice;
  clients: number;
  /** Put before each session name. */
  prefix: string;
  plans: Map<string, Plan>;
  /** Draws the next request; default {@link drawPlan}. */
  draw?: (dice: Dice, session: string) => Plan;
}

const PATH: Record<Api, string> = {
  messages: '/v1/messages',
  chat: '/v1/chat/completions',
  responses: '/v1/responses',
};
const TERMINAL: Record<Api, RegExp> = {
  messages: /event: message_stop\ndata: [^\n]*\n\n/,
  chat: /data: \[DONE\]\n\n/,
  responses: /event: response\.completed\ndata: [^\n]*\n\n/,
};
const TURNED_AWAY = /shutting_down|server is stopping|journal_unavailable|journal cannot/;

function bytesOf(plan: Plan, keys: LoadOptions['keys']): Buffer {
  const { api, stream, session, drains } = plan;
  const content = 'Hello';
  const model = MODEL_OF[api];
  const asked =
    api === 'responses'
      ? { model, input: content }
      : { model, max_tokens: 100, messages: [{ role: 'user', content }] };
  return requestBytes({
    path: PATH[api],
    headers: [
      ['content-type', 'application/json'],
      ['x-api-key', drains ? keys.drain : keys.abort],
      [SESSION_HEADER[api], session],
    ],
    body: JSON.stringify(stream ? { ...asked, stream } : asked),
  });
}

function endingOf(answer: RawAnswer): Ending {
  return answer.status === 503 && TURNED_AWAY.test(answer.text) ? 'turned-away' : 'complete';
}

/** Clients that send one request after the other until told to stop. */
export class Load {
  readonly records: CallRecord[] = [];
  readonly #options: LoadOptions;
  readonly #clients: Promise<void>[];
  #stopped = false;
  #killed = false;
  #count = 0;
  #underWay = 0;
  #waiters: { endings: number; resolve(): void }[] = [];

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#clients = Array.from({ length: options.clients }, () => this.#client());
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** Resolves once the server refuses or does not take connections any more. */
  async untilTurnedAway(withinMs: number): Promise<void> {
    const isAway = ({ ending, httpStatus }: CallRecord): boolean =>
      ending === 'turned-away' || (ending === 'cut' && httpStatus === null);
    const from = this.records.length;
    await eventually('new requests are turned away', () => this.records.slice(from).some(isAway), withinMs);
  }

  /** Resolves when so many requests have ended, however they did, or when the time is up. */
  async until(endings: number, withinMs: number): Promise<void> {
    if (this.records.length >= endings) return;
    const timeUp = new AbortController();
    const enough = new Promise<void>((resolve) => this.#waiters.push({ endings, resolve }));
    await Promise.race([
      enough,
      sleep(withinMs, undefined, { signal: timeUp.signal }).catch(() => undefined),
    ]);
    timeUp.abort();
  }

  /** Call this directly before the kill: what ends from now on may have ended because of it. */
  aboutToKill(): void {
    this.#killed = true;
    this.#stopped = true;
  }

  /** Sends nothing more, and resolves when every request has ended. */
  async finish(): Promise<CallRecord[]> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    return this.records;
  }

  async #client(): Promise<void> {
    const { dice, prefix, plans, draw = drawPlan } = this.#options;
    while (!this.#stopped) {
      const plan = draw(dice, `${prefix}-${this.#count++}`);
      plans.set(plan.session, plan);
      this.#underWay++;
      this.records.push(await this.#call(plan));
      this.#underWay--;
      for (const { endings, resolve } of this.#waiters) if (this.records.length >= endings) resolve();
      await sleep(dice.between(0, 15));
    }
  }

  async #call(plan: Plan): Promise<CallRecord> {
    const call = rawCall(this.#options.port, bytesOf(plan, this.#options.keys));
    let left = false;
    const leave = (): void => {
      left = true;
      call.leave();
    };
    const timer = plan.leavesAfterMs === null ? null : setTimeout(leave, plan.leavesAfterMs);
    const ended = (ending: Ending, httpStatus: number | null): CallRecord => ({
      plan,
      ending,
      httpStatus,
      beforeKill: !this.#killed,
    });
    try {
      const answer = await call.answer;
      return ended(endingOf(answer), answer.status);
    } catch (error) {
      if (!(error instanceof CutAnswer)) throw error;
      const httpStatus = error.head?.status ?? null;
      const isWhole =
        plan.stream && httpStatus === 200 && TERMINAL[plan.api].test(error.body.toString('utf8'));
      return ended(isWhole ? 'complete' : left ? 'left' : 'cut', httpStatus);
    } finally {
      if (timer !== null) clearTimeout(timer);
    }
  }
}
