import type { RequestView, TotalsView } from '@tallygate/contract/api/usage';
import { formatNanoUsd, parseUsd } from '@tallygate/contract/money';
import { TOKEN_BUCKETS } from '@tallygate/contract/usage';
import type { Gate } from '@tallygate/testkit/harness';

const PAGE = 500;
const HOUR_MS = 3_600_000;

interface Page {
  requests: RequestView[];
  nextCursor: string | null;
}
interface Verified {
  ok: boolean;
  differences: unknown[];
}

/** Sums of rows as `/api/usage/totals` has them, worked out the slow way. */
class Sums {
  requests = 0;
  interruptedRequests = 0;
  costNanoUsd = 0n;
  readonly tokens = Object.fromEntries(TOKEN_BUCKETS.map((bucket) => [bucket, 0])) as Record<string, number>;

  add(row: RequestView): void {
    if (row.parentId === null) {
      this.requests++;
      if (row.settleStatus === 'interrupted') this.interruptedRequests++;
    }
    if (row.costUsd !== null) this.costNanoUsd += parseUsd(row.costUsd);
    for (const bucket of TOKEN_BUCKETS)
      this.tokens[bucket] = (this.tokens[bucket] ?? 0) + (row.tokens[bucket] ?? 0);
  }
}

/** Follows the ledger from life to life and holds its sums against its rows. */
export class LedgerAudit {
  readonly #gate: Gate;
  readonly #sums = new Sums();
  /** Rows that started before are known already. */
  #sinceMs = Date.now();
  readonly #firstMs = this.#sinceMs;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  /** Rows of requests that started since the last call. */
  async newRows(): Promise<RequestView[]> {
    const fromMs = this.#sinceMs;
    // The server of that life is dead and the next one was not asked for anything yet.
    this.#sinceMs = Date.now() + 1;
    const rows = await this.#rowsFrom(fromMs);
    for (const row of rows) this.#sums.add(row);
    return rows;
  }

  /** Sums against rows seen so far, rollups against rows in the store, and whether the server calls itself ready. */
  async check(): Promise<string[]> {
    const found = this.#compare(await this.#totals(), this.#sums);
    const verified = await this.#gate.admin<Verified>('POST', '/api/rollups/verify', {});
    if (!verified.ok) found.push(`rollups differ: ${JSON.stringify(verified.differences.slice(0, 3))}`);
    const ready = await this.#gate.adminRequest('GET', '/readyz');
    if (ready.status !== 200) found.push(`not ready: ${JSON.stringify(ready.json)}`);
    return found;
  }

  /** Every row there is, read again: still the same, each id and each session once. */
  async checkEveryRow(): Promise<string[]> {
    const rows = await this.#rowsFrom(this.#firstMs);
    const sums = new Sums();
    const found: string[] = [];
    const seen = new Set<string>();
    for (const row of rows) {
      sums.add(row);
      const names = row.parentId === null ? [row.id, `session ${row.sessionId}`] : [row.id];
      for (const name of names) {
        if (seen.has(name)) found.push(`${name}: in the ledger twice`);
        seen.add(name);
      }
    }
    return [...found, ...this.#compare(await this.#totals(), sums), ...(await this.check())];
  }

  #totals(): Promise<TotalsView> {
    // Whole hours, so that the answer comes from rollups.
    const from = new Date(Math.floor(this.#firstMs / HOUR_MS) * HOUR_MS).toISOString();
    const to = new Date(Math.ceil((Date.now() + 1) / HOUR_MS) * HOUR_MS).toISOString();
    return this.#gate.admin('GET', `/api/usage/totals?from=${from}&to=${to}`);
  }

  #compare({ totals }: TotalsView, sums: Sums): string[] {
    const found: string[] = [];
    const differs = (name: string, total: unknown, sum: unknown): void => {
      if (total !== sum) found.push(`total ${name} is ${total}, its rows have ${sum}`);
    };
    differs('requests', totals.requests, sums.requests);
    differs('interruptedRequests', totals.interruptedRequests, sums.interruptedRequests);
    differs('costUsd', totals.costUsd, formatNanoUsd(sums.costNanoUsd));
    for (const bucket of TOKEN_BUCKETS) differs(bucket, totals.tokens[bucket], sums.tokens[bucket]);
    return found;
  }

  async #rowsFrom(fromMs: number): Promise<RequestView[]> {
    const rows: RequestView[] = [];
    let cursor = '';
    do {
      const page: Page = await this.#gate.admin(
        'GET',
        `/api/requests?from=${new Date(fromMs).toISOString()}&limit=${PAGE}${cursor}`,
      );
      rows.push(...page.requests);
      cursor = page.nextCursor === null ? '' : `&cursor=${encodeURIComponent(page.nextCursor)}`;
    } while (cursor !== '');
    return rows;
  }
}
