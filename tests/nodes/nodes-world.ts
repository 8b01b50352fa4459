import { randomBytes } from 'node:crypto';
import type { BudgetView } from '@tallygate/contract/api/budgets';
import { parseUsd } from '@tallygate/contract/money';
import { anthropicApi } from '@tallygate/testkit/fake-upstream/anthropic';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { untilKnown } from '@tallygate/testkit/known-budget';
import { type PrivateRedis, redisTarget } from '@tallygate/testkit/private-redis';
import { CutAnswer, type RawCall, rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import { postgresTarget } from '@tallygate/testkit/store-target';

const redisFound = redisTarget();
const postgres = await postgresTarget();

/** Why nodes cannot be tested on this machine; null when they can. */
export const SKIPPED = redisFound.skipped ?? postgres.skipped;

/** Several nodes on one database and one Redis, in front of one upstream. */
export interface NodesWorld {
  gates: Gate[];
  redis: PrivateRedis;
  upstream: FakeUpstream;
  /** A streaming request to one of the nodes. */
  messages(node: number, body: unknown, key?: string): RawCall;
  /** The status of its answer; null for one that was cut, as a revoked key and a pause do to what is on its way. */
  answered(node: number, body: unknown, key?: string): Promise<number | null>;
  budget(body: Record<string, unknown>): Promise<BudgetView>;
  /** A budget as one of the nodes sees it. */
  status(id: string, node?: number): Promise<BudgetView['status']>;
  /** The sum of what the ledger's rows cost, in nano-USD. */
  ledgerSum(): Promise<bigint>;
  stop(): Promise<void>;
}

export const nano = (usd: unknown): bigint => parseUsd(String(usd));

export async function startNodes(
  count: number,
  options: { config?: Record<string, string>; roles?: readonly string[] } = {},
): Promise<NodesWorld> {
  const redis = await redisFound.start();
  const upstream = await startFakeUpstream(anthropicApi());
  const config = {
    ...{ DB_URL: await postgres.fresh(), REDIS_URL: redis.url, RETRY_ATTEMPTS: '0' },
    ...{ TALLYGATE_MASTER_KEY: randomBytes(32).toString('hex'), ...options.config },
  };
  const gates: Gate[] = [];
  for (let node = 0; node < count; node++) {
    const roles = options.roles?.[node];
    gates.push(
      await startGate({
        config: { ...config, ...(roles === undefined ? {} : { ROLES: roles }) },
        ...(node === 0 ? { accounts: [{ provider: 'anthropic', baseUrl: upstream.url }] } : { keys: [] }),
      }),
    );
  }
  const gate = (node: number): Gate => {
    const found = gates[node % gates.length];
    if (found === undefined) throw new Error('no such node');
    return found;
  };
  const key = gate(0).key;
  const messages: NodesWorld['messages'] = (node, body, clientKey = key) =>
    rawCall(
      gate(node).port,
      requestBytes({
        path: '/v1/messages',
        headers: [
          ['content-type', 'application/json'],
          ['anthropic-version', '2023-06-01'],
          ['x-api-key', clientKey],
        ],
        body: JSON.stringify(body),
      }),
    );
  return {
    gates,
    redis,
    upstream,
    messages,
    answered: (node, body, clientKey) =>
      messages(node, body, clientKey).answer.then(
        ({ status }) => status,
        (error: unknown) => {
          if (error instanceof CutAnswer) return null;
          throw error;
        },
      ),
    async budget(body) {
      const made = await gate(0).admin<BudgetView>('POST', '/api/budgets', body);
      await untilKnown(gates, made);
      return made;
    },
    status: async (id, node = 0) => (await gate(node).admin<BudgetView>('GET', `/api/budgets/${id}`)).status,
    ledgerSum: async () =>
      (await gate(0).requestsJson()).reduce((sum, { costUsd }) => sum + nano(costUsd ?? '0'), 0n),
    async stop() {
      await Promise.all(gates.map((one) => one.stop()));
      await upstream.stop();
      redis.thaw();
      await redis.stop();
      await postgres.cleanUp();
    },
  };
}
