import type { BudgetView } from '@tallygate/contract/api/budgets';
import { parseUsd } from '@tallygate/contract/money';
import { eventually } from '@tallygate/testkit/eventually';
import { anthropicEvents } from '@tallygate/testkit/fake-upstream/anthropic';
import { type Exchange, jsonAnswer, sseAnswer, sseThen } from '@tallygate/testkit/fake-upstream/exchange';
import { MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const REQUESTS = 1_000;
const AFFORDABLE = 100;
const BODY = { ...MESSAGES_BODY, max_tokens: 1_000, stream: true };
const USAGE = {
  input_tokens: 10,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 1_000,
};
const EVENTS = anthropicEvents({ usage: USAGE });

let world: WireWorld;
beforeEach(async () => {
  world = await startWireWorld();
});
afterEach(() => world?.stop());

/** A budget with room for just so many requests at their bound. */
async function budgetFor(requests: number): Promise<{ id: string; cap: bigint }> {
  const probe = await world.gate.admin<BudgetView>('POST', '/api/budgets', {
    ...{ scope: 'workspace', window: 'total', limitUsd: '0' },
  });
  const refused = await world.messages(BODY).answer;
  const needed = /may come to \$([\d.]+)\d*\./.exec(refused.text)?.[1] ?? '';
  await world.gate.admin('DELETE', `/api/budgets/${probe.id}`);
  const cap = parseUsd(needed) * BigInt(requests);
  const limitUsd = `${cap / 1_000_000_000n}.${String(cap % 1_000_000_000n).padStart(9, '0')}`;
  const { id } = await world.gate.admin<BudgetView>('POST', '/api/budgets', {
    ...{ scope: 'workspace', window: 'total', limitUsd },
  });
  return { id, cap };
}

const status = async (id: string) => (await world.gate.admin<BudgetView>('GET', `/api/budgets/${id}`)).status;
const nano = (usd: unknown): bigint => parseUsd(String(usd));
const ledgerSum = async (): Promise<bigint> =>
  (await world.gate.requestsJson()).reduce((sum, { costUsd }) => sum + nano(costUsd ?? '0'), 0n);

/** Sends everything at once; resolves when each request is either refused or waiting at the upstream. */
async function storm(answerTo: (exchange: Exchange, index: number) => Promise<unknown>) {
  const open = Promise.withResolvers<void>();
  let atUpstream = 0;
  let refused = 0;
  world.anthropic.respond(async (exchange) => {
    const index = atUpstream++;
    await open.promise;
    await answerTo(exchange, index);
  });
  const calls = Array.from({ length: REQUESTS }, () => world.messages(BODY));
  const ends = calls.map((call, index) => {
    call.head.then(
      (head) => {
        if (head.status === 429) refused += 1;
        else if (index % 20 === 7) call.leave(); // 5 % of the clients do not wait for the end
      },
      () => undefined,
    );
    return call.answer.then(
      ({ status: code }) => code,
      () => 0,
    );
  });
  await eventually('every request is refused or waits', () =>
    atUpstream + refused === REQUESTS ? true : null,
  );
  return { admitted: atUpstream, release: open.resolve, ends: Promise.all(ends) };
}

describe('a thousand requests at once against a budget for a hundred (X-02)', () => {
  it('never overshoots, uses what there is, and leaves no hold', async () => {
    const { id, cap } = await budgetFor(AFFORDABLE);
    const { admitted, release, ends } = await storm((exchange, index) => {
      if (index % 40 === 3) return Promise.resolve(jsonAnswer({}, { status: 529 })(exchange));
      if (index % 40 === 23)
        return Promise.resolve(sseThen(EVENTS.slice(0, 4), (cut) => cut.reset())(exchange));
      return Promise.resolve(sseAnswer(EVENTS)(exchange));
    });
    expect(admitted).toBe(AFFORDABLE);
    expect(nano((await status(id)).held)).toBe(cap);
    release();
    const codes = await ends;
    expect(codes.filter((code) => code === 200).length).toBeGreaterThanOrEqual(AFFORDABLE * 0.85);
    const after = await eventually('nothing is held', async () => {
      const now = await status(id);
      return now.held === '0' ? now : null;
    });
    await world.gate.untilRows(AFFORDABLE);
    expect(nano(after.spent)).toBeLessThanOrEqual(cap);
    expect(nano(after.spent)).toBe(await ledgerSum());
    const { holds } = await world.gate.admin<{ holds: unknown[] }>('GET', '/api/budgets/holds');
    expect(holds).toEqual([]);
  });

  it('kill -9 in the middle: what is spent is the sum of the ledger, and never above the limit', async () => {
    const { id, cap } = await budgetFor(AFFORDABLE);
    const hang = Promise.withResolvers<void>();
    const { release, ends } = await storm(async (exchange, index) => {
      if (index % 2 === 0) return sseAnswer(EVENTS)(exchange);
      await sseAnswer(EVENTS.slice(0, 3))({ ...exchange, endChunks: async () => true });
      await hang.promise;
    });
    release();
    await world.gate.untilRows(AFFORDABLE / 2 - 10);
    await world.gate.kill9();
    hang.resolve();
    await ends;
    await world.gate.restart();
    const rows = await world.gate.untilRows(AFFORDABLE);
    const after = await status(id);
    expect(after.held).toBe('0');
    expect(nano(after.spent)).toBe(await ledgerSum());
    expect(nano(after.spent)).toBeLessThanOrEqual(cap);
    expect(rows).toHaveLength(AFFORDABLE);
    expect(rows.filter((row) => row.status === 'interrupted' && row.costUsd !== null).length).toBeGreaterThan(
      0,
    );
    // The half that was still on its way counts at its bound; only what the other half gave back is left.
    world.anthropic.respond(sseAnswer(EVENTS));
    for (let refused = false; !refused; ) refused = (await world.messages(BODY).answer).status === 429;
    const end = await eventually('nothing is held', async () => {
      const now = await status(id);
      return now.held === '0' ? now : null;
    });
    expect(nano(end.spent)).toBeLessThanOrEqual(cap);
  });
});
