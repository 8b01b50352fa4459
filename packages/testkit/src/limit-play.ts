import { used } from '@tallygate/server/limits/account-windows';
import type { Budget, RequestScopes, Spend, UpperBound } from '@tallygate/server/limits/budget';
import { spendOf } from '@tallygate/server/limits/budget-account';
import type { Hold } from '@tallygate/server/limits/budget-hold';
import type { Decision, LimitState } from '@tallygate/server/limits/limit-state';
import type { LedgerReads, LedgerSums } from '@tallygate/server/limits/redis/books-deps';

/** A row of the ledger of a test: written when a request ends, or when its process is found dead. */
export interface TestRow {
  id: string;
  startedAtMs: number;
  scopes: RequestScopes;
  spend: Spend;
}

/** The ledger that a test keeps. */
export class TestLedger {
  readonly rows = new Map<string, TestRow>();

  spentIn(budget: Budget, { startMs, endMs }: { startMs: number; endMs: number }): number {
    let sum = 0;
    for (const row of this.rows.values())
      if (row.startedAtMs >= startMs && row.startedAtMs < endMs && covers(budget, row.scopes))
        sum += spendOf(budget, row.spend);
    return sum;
  }

  /** As nodes that share budgets ask it. */
  asked(): LedgerSums {
    const requests: LedgerReads['requests'] = async (ids) =>
      [...this.rows.values()].filter(({ id }) => ids.includes(id));
    return {
      requests,
      atOneMoment: (work) => {
        let still: TestLedger | null = null;
        // The moment begins with the first question, and nothing changes in it.
        const then = (): TestLedger => {
          still ??= this.#copy();
          return still;
        };
        return work({
          spentIn: async (budget, range) => then().spentIn(budget, range),
          requests: async (ids) => [...then().rows.values()].filter(({ id }) => ids.includes(id)),
        });
      },
      upToNow: () => async () => true,
    };
  }

  #copy(): TestLedger {
    const copy = new TestLedger();
    for (const [id, row] of this.rows) copy.rows.set(id, row);
    return copy;
  }
}

export interface LimitWorld {
  /** One state for each process that shares the budgets. */
  states: LimitState[];
  /** Kills one process and starts it anew; the ledger has rows for what it left. */
  restart(index: number): Promise<void>;
  /** Resolves when every end is in the books of all. */
  settled(): Promise<void>;
  /** Takes everything away that the shared state holds, and waits until it is made anew; null where there is none. */
  lose: (() => Promise<void>) | null;
  close(): Promise<void>;
}

/** What time it is for everybody; tests set it. */
export interface TestClock {
  nowMs: number;
}

export interface LimitBench {
  name: string;
  skipped: string | null;
  /** How often the model is played. */
  modelRuns: number;
  open(budgets: readonly Budget[], ledger: TestLedger, clock: TestClock): Promise<LimitWorld>;
}

export const NOW = Date.now();

export function testBudget(id: string, change: Partial<Budget> = {}): Budget {
  return {
    id,
    workspaceId: 'ws',
    scope: [],
    measure: 'usd',
    limit: 100,
    window: 'total',
    windowMs: null,
    sliding: false,
    timeZone: 'UTC',
    mode: 'hard',
    unpriced: 'refuse',
    provisionalNanoUsdPerMtok: null,
    onOutage: 'closed',
    createdAtMs: 0,
    ...change,
  };
}

export function covers({ scope }: Budget, { projectId }: RequestScopes): boolean {
  return scope.every(({ value }) => value === projectId);
}

export const scopesOf = (projectId: string): RequestScopes => ({
  workspaceId: 'ws',
  keyId: 'k',
  userId: null,
  projectId,
  sessionId: null,
  model: 'm',
  provider: 'p',
  accountId: 'a',
  tags: [],
});

/** So many nano-USD and tokens alike. */
export function spendOfCost(cost: number): Spend {
  return { costNanoUsd: cost, tokens: cost, weightedTokens: cost, unpricedTokens: 0 };
}

/** Costs `amount`, of which `output` falls to the output limit, one for each token. */
const boundOf = (amount: number, output = 0): UpperBound => ({
  outputTokens: output,
  minOutputTokens: output > 0 ? 1 : null,
  costNanoUsd: (tokens) => amount - output + tokens,
  tokens: (tokens) => amount - output + tokens,
  weightedTokens: (tokens) => amount - output + tokens,
});

/** A world with the shorthand that tests speak. */
export class Play {
  readonly ledger: TestLedger;
  readonly world: LimitWorld;
  readonly clock: TestClock;
  #ids = 0;

  constructor(world: LimitWorld, ledger: TestLedger, clock: TestClock) {
    this.world = world;
    this.ledger = ledger;
    this.clock = clock;
  }

  state(node: number): LimitState {
    const state = this.world.states[node % this.world.states.length];
    if (state === undefined) throw new Error('no such node');
    return state;
  }

  async ask(
    amount: number,
    { node = 0, project = 'p1', output = 0, atMs = this.clock.nowMs, replaces = null as Hold | null } = {},
  ): Promise<Decision> {
    const id = replaces?.requestId ?? `request-${this.#ids++}`;
    const ask = { id, startedAtMs: replaces?.startedAtMs ?? atMs, scopes: scopesOf(project), replaces };
    return this.state(node).reserve(ask, () => boundOf(amount, output));
  }

  /** The request ends: its row is in the ledger before the budgets hear of it, as the journal has it. */
  settle(hold: Hold, project: string, cost: number): void {
    const spend = spendOfCost(cost);
    const { requestId: id, startedAtMs } = hold;
    this.ledger.rows.set(id, { id, startedAtMs, scopes: scopesOf(project), spend });
    hold.settle(spend);
  }

  /** What every process says of a budget. */
  async books(id: string, atMs = this.clock.nowMs): Promise<[spent: number, held: number][]> {
    await this.world.settled();
    const all: [number, number][] = [];
    for (const state of this.world.states) {
      await state.refresh(atMs);
      const status = state.status(id, atMs);
      all.push(status === null ? [-1, -1] : [used(status.window), status.window.held]);
    }
    return all;
  }
}

export function heldBy(decision: Decision): Hold {
  if (decision === null || !('hold' in decision))
    throw new Error(`not admitted: ${JSON.stringify(decision)}`);
  return decision.hold;
}

export function reasonOf(decision: Decision): string {
  if (decision === null) return 'none';
  if ('hold' in decision) return 'hold';
  return 'refusal' in decision ? decision.refusal.reason : 'unavailable';
}
