import type { BudgetView } from '@tallygate/contract/api/budgets';
import { startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { openAiApi } from '@tallygate/testkit/fake-upstream/openai';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import { afterEach, describe, expect, it } from 'vitest';

let stop: (() => Promise<void>) | null = null;
afterEach(async () => {
  await stop?.();
  stop = null;
});

/** A gate whose only upstream speaks Chat Completions, with a budget over everything. */
async function start(): Promise<Gate> {
  const upstream = await startFakeUpstream(openAiApi());
  const gate = await startGate({
    config: { RETRY_ATTEMPTS: '0' },
    accounts: [{ provider: 'openai', baseUrl: upstream.url }],
  });
  stop = async () => {
    await gate.stop();
    await upstream.stop();
  };
  await gate.admin<BudgetView>('POST', '/api/budgets', {
    ...{ scope: 'workspace', window: 'day', limitUsd: '100' },
  });
  return gate;
}

const call = (gate: Gate, path: string, body: object) =>
  rawCall(
    gate.port,
    requestBytes({
      path,
      headers: [
        ['content-type', 'application/json'],
        ['x-api-key', gate.key],
      ],
      body: JSON.stringify({ model: 'gpt-5', messages: [{ role: 'user', content: 'Hello' }], ...body }),
    }),
  ).answer;

describe('the utilisation of budgets on translated answers (X-02, X-04)', () => {
  it.each([false, true])(
    'a Messages client is told, whatever its upstream speaks (stream %s)',
    async (stream) => {
      const gate = await start();
      const answer = await call(gate, '/v1/messages', { max_tokens: 10, stream });
      expect([answer.status, answer.value('x-tallygate-translated-to')]).toEqual([200, 'responses']);
      expect(answer.value('anthropic-ratelimit-unified-status')).toBe('allowed');
      expect(answer.value('anthropic-ratelimit-unified-representative-claim')).toBe('five_hour');
      expect(answer.value('anthropic-ratelimit-unified-5h-utilization')).toBe('0.0000');
      const reset = Number(answer.value('anthropic-ratelimit-unified-5h-reset'));
      expect(reset % 86_400).toBe(0);
    },
  );

  it('a client of another format is not', async () => {
    const gate = await start();
    const answer = await call(gate, '/v1/chat/completions', {});
    expect(answer.status).toBe(200);
    expect(answer.headers.filter(([name]) => name.includes('unified'))).toEqual([]);
  });
});
