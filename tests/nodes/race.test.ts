import { eventually } from '@tallygate/testkit/eventually';
import { anthropicEvents } from '@tallygate/testkit/fake-upstream/anthropic';
import { type Exchange, jsonAnswer, sseAnswer, sseThen } from '@tallygate/testkit/fake-upstream/exchange';
import { MESSAGES_BODY } from '@tallygate/testkit/wire-world';
import { afterEach, describe, expect, it } from 'vitest';
import { type NodesWorld, nano, SKIPPED, startNodes } from './nodes-world.ts';

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

let world: NodesWorld;
afterEach(() => world?.stop());

/** What one request may come to, as the refusal of a budget of nothing says it. */
async function boundOfOne(): Promise<bigint> {
  const probe = await world.budget({ scope: 'workspace', window: 'total', limitUsd: '0' });
  const refused = await world.messages(0, BODY).answer;
  await world.gates[0]?.admin('DELETE', `/api/budgets/${probe.id}`);
  return nano(/may come to \$([\d.]+)\d*\./.exec(refused.text)?.[1] ?? '');
}

const usd = (amount: bigint): string =>
  `${amount / 1_000_000_000n}.${String(amount % 1_000_000_000n).padStart(9, '0')}`;

/** Every fortieth upstream call fails before, every fortieth within its answer: 5 % in all. */
function answerTo(exchange: Exchange, index: number): unknown {
  if (index % 40 === 3) return jsonAnswer({}, { status: 529 })(exchange);
  if (index % 40 === 23) return sseThen(EVENTS.slice(0, 4), (cut) => cut.reset())(exchange);
  return sseAnswer(EVENTS)(exchange);
}

describe.skipIf(SKIPPED !== null)('three processes share a budget (X-02, X-08)', { timeout: 400_000 }, () => {
  it('a thousand at once against room for a hundred, with a kill -9: never above, nothing stays held', async () => {
    world = await startNodes(3);
    const cap = (await boundOfOne()) * BigInt(AFFORDABLE);
    const { id } = await world.budget({ scope: 'workspace', window: 'total', limitUsd: usd(cap) });
    const open = Promise.withResolvers<void>();
    let atUpstream = 0;
    let ended = 0;
    world.upstream.respond(async (exchange) => {
      const index = atUpstream++;
      await open.promise;
      await answerTo(exchange, index);
    });
    const calls = Array.from({ length: REQUESTS }, (_, index) => world.messages(index, BODY));
    const codes = calls.map((call, index) => {
      call.head.then(
        (head) => {
          if (head.status === 200 && index % 20 === 7) call.leave();
        },
        () => undefined,
      );
      return call.answer.then(
        ({ status }) => status,
        () => 0,
      );
    });
    for (const code of codes)
      code.then(
        () => ended++,
        () => undefined,
      );
    await eventually('every request is refused or waits', () => atUpstream + ended >= REQUESTS, 120_000);
    expect(atUpstream).toBeLessThanOrEqual(AFFORDABLE);
    expect(atUpstream).toBeGreaterThanOrEqual(AFFORDABLE * 0.9);
    for (const node of [0, 1, 2]) {
      const { spent, held } = await world.status(id, node);
      expect(nano(spent) + nano(held)).toBeLessThanOrEqual(cap);
    }
    await world.gates[1]?.kill9(); // with what it had on its way
    open.resolve();
    await Promise.all(codes);
    await world.gates[1]?.restart();
    const after = await eventually(
      'nothing is held',
      async () => {
        const now = await world.status(id);
        return now.held === '0' ? now : null;
      },
      60_000,
    );
    await eventually(
      'what is spent is the sum of the ledger, on every node',
      async () => {
        const sum = await world.ledgerSum();
        const seen = await Promise.all([0, 1, 2].map((node) => world.status(id, node)));
        return seen.every(({ spent, held }) => nano(spent) === sum && held === '0');
      },
      30_000,
    );
    expect(nano(after.spent)).toBeLessThanOrEqual(cap);
    const rows = await world.gates[0]?.requestsJson();
    expect(rows?.length).toBe(atUpstream);
    expect(rows?.some(({ status }) => status === 'interrupted')).toBe(true);
    // What came back is there to be spent, to the last request that fits.
    world.upstream.respond(sseAnswer(EVENTS));
    for (let node = 0, refused = 0; refused < 3; node++)
      refused = (await world.messages(node, BODY).answer).status === 429 ? refused + 1 : 0;
    const end = await world.status(id);
    expect(nano(end.spent)).toBeLessThanOrEqual(cap);
  });
});
