import type { Budget, Spend } from '../budget.ts';
import { spendOf } from '../budget-account.ts';
import { windowAt } from '../budget-window.ts';
import { RESOLVE } from './book-scripts.ts';
import type { RedisBooksDeps } from './books-deps.ts';
import { chunks } from './chunks.ts';
import { readHoldText, wholeText, windowName } from './hold-text.ts';
import type { Books } from './membership.ts';
import { type Ending, endingArguments } from './outbox.ts';
import { forgetAt } from './question.ts';
import type { RedisKeys } from './redis-keys.ts';
import type { RedisLink } from './redis-link.ts';

const RESOLVE_CHUNK = 200;

export interface EarlierProcessesDeps
  extends Pick<RedisBooksDeps, 'ledger' | 'logger' | 'node' | 'leftBehind' | 'unheldBefore'> {
  link: RedisLink;
  keys: RedisKeys;
  owner: string;
  budget(id: string): Budget | null;
}

/** What earlier processes of this node left in the books. */
export class EarlierProcesses {
  readonly #deps: EarlierProcessesDeps;
  #leftBehind: boolean;

  constructor(deps: EarlierProcessesDeps) {
    this.#deps = deps;
    this.#leftBehind = deps.leftBehind || deps.unheldBefore;
  }

  /** After a crash the ledger may have rows that books of before the crash do not know: those are made anew. */
  async mustBeginAnew(generation: string): Promise<boolean> {
    const { link, keys, node, unheldBefore } = this.#deps;
    if (!this.#leftBehind) return false;
    const known = await link.command('SCARD', keys.processes(generation, node));
    // Where an earlier process is known, what it held is resolved one by one; what was never held cannot be.
    const anew = Number(known) === 0 || unheldBefore;
    if (anew) this.#leftBehind = false;
    return anew;
  }

  /** Settles what earlier processes of this node still hold, by their rows, and removes books nobody uses any more. */
  async welcome(books: Books): Promise<void> {
    const { link, keys, node, owner } = this.#deps;
    const processes = keys.processes(books.generation, node);
    const earlier = (await link.command('SMEMBERS', processes)) as string[];
    await link.command('SADD', processes, owner);
    for (const other of earlier) {
      if (other === owner) continue;
      await this.#resolve(books, other);
      await link.command('ZREM', keys.nodes, other);
      await link.command('SREM', processes, other);
    }
    await this.#forgetOthers(books);
  }

  /** Holds of one process, each with its text. */
  async holdsOf({ generation }: Books, owner: string): Promise<[id: string, text: string][]> {
    const { link, keys } = this.#deps;
    return pairs(await link.command('HGETALL', keys.holds(generation, owner)));
  }

  async #resolve(books: Books, owner: string): Promise<void> {
    const { link, keys, ledger, logger } = this.#deps;
    const { generation } = books;
    const expired = keys.expired(generation, owner);
    const held = await this.holdsOf(books, owner);
    const charged = pairs(await link.command('HGETALL', expired));
    for (const part of chunks([...held, ...charged], RESOLVE_CHUNK)) {
      const rows = await ledger.requests(part.map(([id]) => id));
      const spent = new Map(rows.map((row) => [row.id, row.spend]));
      const args = part.flatMap(([id, text]) =>
        endingArguments(this.#endingOf(id, text, spent.get(id)), books.fromMs),
      );
      const names = [keys.state, keys.holds(generation, owner), expired];
      await link.run(RESOLVE, names, [generation, keys.windows(generation), ...args]);
    }
    if (held.length + charged.length > 0)
      logger.info('what an earlier process held is settled by its rows', {
        count: held.length + charged.length,
      });
  }

  #endingOf(requestId: string, text: string, spend: Spend | undefined): Ending {
    const { startedAtMs, parts } = readHoldText(text);
    if (spend === undefined) return { requestId, startedAtMs, amounts: [] }; // it was never sent
    const amounts = parts.flatMap(({ budgetId, windowStartMs }) => {
      const budget = this.#deps.budget(budgetId);
      if (budget === null) return [];
      return [
        {
          window: windowName(budgetId, windowStartMs),
          amount: wholeText(spendOf(budget, spend)),
          forgetAtMs: forgetAt(budget, windowAt(windowStartMs, budget)),
          madeAtMs: budget.createdAtMs,
        },
      ];
    });
    return { requestId, startedAtMs, amounts };
  }

  async #forgetOthers({ generation }: Books): Promise<void> {
    const { link, keys } = this.#deps;
    let cursor = '0';
    do {
      const found = await link.command('SCAN', cursor, 'MATCH', keys.everything, 'COUNT', '500');
      const [next, names] = found as [string, string[]];
      const old = names.filter((key) => {
        const of = keys.generationOf(key);
        return of !== null && of !== generation;
      });
      if (old.length > 0) await link.command('UNLINK', ...old);
      cursor = next;
    } while (cursor !== '0');
  }
}

function pairs(flat: unknown): [string, string][] {
  return chunks(flat as string[], 2).map(([key = '', value = '']) => [key, value]);
}
