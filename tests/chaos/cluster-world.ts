import { randomBytes } from 'node:crypto';
import type { AlertEventView, ChannelCreated } from '@tallygate/contract/api/alerts';
import type { BudgetView } from '@tallygate/contract/api/budgets';
import type { SystemView } from '@tallygate/contract/api/system';
import type { RequestView } from '@tallygate/contract/api/usage';
import { parseUsd } from '@tallygate/contract/money';
import { type CuttableProxy, startCuttableProxy } from '@tallygate/testkit/cuttable-proxy';
import { eventually } from '@tallygate/testkit/eventually';
import { type FakeReceiver, startFakeReceiver } from '@tallygate/testkit/fake-receiver';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { untilKnown } from '@tallygate/testkit/known-budget';
import { type PrivatePostgres, privatePostgresTarget } from '@tallygate/testkit/private-postgres';
import { type PrivateRedis, redisTarget } from '@tallygate/testkit/private-redis';
import { type RoundRobin, startRoundRobin } from '@tallygate/testkit/round-robin';
import { type ClusterVerdict, judgeCluster } from './cluster-judge.ts';
import type { Dice } from './dice.ts';
import { LedgerAudit } from './ledger-audit.ts';
import { Load } from './load.ts';
import type { Plan } from './plan.ts';
import { scriptedUpstream, sessionOf } from './scripted-upstream.ts';

const redisFound = redisTarget();
const postgresFound = privatePostgresTarget();

/** Why no cluster can be started on this machine; null when one can. */
export const CLUSTER_SKIPPED = redisFound.skipped ?? postgresFound.skipped;

const NODES = 3;
const CLIENTS = 9;
/** Requests that the strict budget allows; the load wants many more. */
const STRICT_LIMIT = 60;
/** Each rule fires once, when so many requests were served. */
const RULE_STEPS = [1, 30, 80, 150];
const RECOVERY_MS = 60_000;

/** A node, with proxies between it and what it needs. */
export interface ClusterNode {
  gate: Gate;
  toPostgres: CuttableProxy;
  toRedis: CuttableProxy;
}

export interface Cluster {
  nodes: readonly ClusterNode[];
  postgres: PrivatePostgres;
  redis: PrivateRedis;
  load: Load;
  /** Resolves when every node shares its limits again, and is ready. */
  healed(): Promise<void>;
  /** Ends the load and holds everything against everything. */
  finish(): Promise<ClusterVerdict>;
  stop(): Promise<void>;
}

interface Parts {
  nodes: ClusterNode[];
  postgres: PrivatePostgres;
  redis: PrivateRedis;
  upstreams: readonly FakeUpstream[];
  receiver: FakeReceiver;
  roundRobin: RoundRobin;
}

async function startNode(
  parts: Pick<Parts, 'postgres' | 'redis' | 'upstreams'>,
  shared: Shared,
): Promise<ClusterNode> {
  const toPostgres = await startCuttableProxy(parts.postgres.port);
  const toRedis = await startCuttableProxy(parts.redis.port);
  const [messages, openAi] = parts.upstreams;
  const first = shared.first
    ? {
        projects: [{ slug: 'strict' }],
        accounts: [
          { provider: 'anthropic', baseUrl: messages?.url ?? '' },
          { provider: 'openai', baseUrl: openAi?.url ?? '' },
        ],
        keys: [{}, { project: 'strict' }],
      }
    : { keys: [] };
  const gate = await startGate({
    ...first,
    config: {
      ...{ DB_URL: parts.postgres.url(toPostgres.port), REDIS_URL: `redis://127.0.0.1:${toRedis.port}` },
      ...{ TALLYGATE_MASTER_KEY: shared.masterKey, RETRY_ATTEMPTS: '0' },
      // The machine may be busy with other tests.
      TALLYGATE_REDIS_DEADLINE_MS: '500',
    },
  });
  return { gate, toPostgres, toRedis };
}

interface Budgets {
  /** Everything, and while Redis is away everything passes. */
  open: BudgetView;
  /** A project that may send nothing while Redis is away: so many requests, and what they cost. */
  strict: BudgetView;
  strictUsd: BudgetView;
}

interface Shared {
  first: boolean;
  masterKey: string;
}

const gateOf = ({ nodes }: Pick<Parts, 'nodes'>, at = 0): Gate => {
  const node = nodes[at];
  if (node === undefined) throw new Error('no such node');
  return node.gate;
};

/** One budget that lets through while Redis is away, one that does not, and rules that fire while things go wrong. */
async function setUp(parts: Parts): Promise<Budgets> {
  const gate = gateOf(parts);
  const budget = (body: object) =>
    gate.admin<BudgetView>('POST', '/api/budgets', { window: 'total', ...body });
  const open = await budget({ scope: 'workspace', limitUsd: '100000', onOutage: 'open' });
  const strict = await budget({ scope: 'project:strict', limitRequests: STRICT_LIMIT });
  const strictUsd = await budget({ scope: 'project:strict', limitUsd: '100000' });
  const channel = await gate.admin<ChannelCreated>('POST', '/api/alerts/channels', {
    ...{ name: 'ops', allowPrivate: true, target: { kind: 'webhook', url: parts.receiver.url } },
  });
  for (const threshold of RULE_STEPS)
    await gate.admin('POST', '/api/alerts/rules', {
      ...{ name: `step ${threshold}`, channelIds: [channel.id] },
      condition: { kind: 'usage', metric: 'requests', window: 'month', threshold },
    });
  const gates = parts.nodes.map((node) => node.gate);
  for (const made of [open, strict, strictUsd]) await untilKnown(gates, made);
  return { open, strict, strictUsd };
}

/** Every rule told of its edge once, and the receiver heard of each event and of nothing else. */
async function alertFindings(parts: Parts): Promise<string[]> {
  const gate = gateOf(parts);
  const served = (await gate.requestsJson()).filter(({ parentId }) => parentId === null).length;
  const due = RULE_STEPS.filter((step) => step <= served);
  const events = async () =>
    (await gate.admin<{ events: AlertEventView[] }>('GET', '/api/alerts/events')).events;
  const heard = () => new Set(parts.receiver.calls.map(({ headers }) => headers['webhook-id']));
  await eventually(
    'every rule has told',
    async () => (await events()).length >= due.length && heard().size >= due.length,
    RECOVERY_MS,
  );
  const told = await events();
  const found = RULE_STEPS.map(
    (step) => [step, told.filter(({ ruleName }) => ruleName === `step ${step}`)] as const,
  )
    .filter(([step, all]) => all.length !== (due.includes(step) ? 1 : 0))
    .map(([step, all]) => `the rule of ${step} requests told ${all.length} times`);
  const unknown = [...heard()].filter((id) => !told.some((event) => event.id === id));
  return [...found, ...unknown.map((id) => `somebody was told of ${id}, which is no event`)];
}

const sumOf = (rows: readonly RequestView[]): bigint =>
  rows.reduce((total, { costUsd }) => total + parseUsd(costUsd ?? '0'), 0n);

/** What budgets say is spent is what the ledger says, on every node, nothing is held, and no limit was passed. */
async function budgetFindings(parts: Parts, budgets: Budgets): Promise<string[]> {
  const rows = await gateOf(parts).requestsJson();
  const strictRows = rows.filter(({ project }) => project.slug === 'strict');
  // What came to nothing is given back, and may be had again.
  const counted = strictRows.filter(
    ({ parentId, settleStatus }) => parentId === null && settleStatus !== 'refunded',
  ).length;
  const [all, strictSum] = [sumOf(rows), sumOf(strictRows)];
  let last = '';
  const agrees = async (at: number): Promise<boolean> => {
    const status = async ({ id }: BudgetView) =>
      (await gateOf(parts, at).admin<BudgetView>('GET', `/api/budgets/${id}`)).status;
    const [open, strict, usd] = [
      await status(budgets.open),
      await status(budgets.strict),
      await status(budgets.strictUsd),
    ];
    const said = { open, strict, usd };
    last = `node ${at} says ${JSON.stringify(said)}, the ledger ${all}, strict ${counted}, ${strictSum}`;
    const exact = Number(strict.spent) === counted && parseUsd(String(usd.spent)) === strictSum;
    const none = [open, strict, usd].every(({ held }) => Number(held) === 0);
    return exact && none && parseUsd(String(open.spent)) === all;
  };
  for (const at of parts.nodes.keys()) {
    const reached = await eventually('books and ledger agree', () => agrees(at), RECOVERY_MS).catch(
      () => false,
    );
    if (!reached) return [last];
  }
  return counted > STRICT_LIMIT ? [`${counted} requests of ${STRICT_LIMIT} were let through`] : [];
}

async function reachedOf(upstreams: readonly FakeUpstream[]): Promise<Map<string, number>> {
  const reached = new Map<string, number>();
  for (const upstream of upstreams)
    for (const request of upstream.requests) {
      const session = sessionOf(request);
      reached.set(session, (reached.get(session) ?? 0) + 1);
    }
  return reached;
}

/** Why a node is not well; null when it is. */
async function ailmentOf({ gate }: ClusterNode): Promise<string | null> {
  const ready = await fetch(`${gate.url}/readyz`).catch(() => null);
  if (ready === null) return 'it does not answer';
  if (ready.status !== 200) return ready.text();
  const { warnings } = await gate.admin<SystemView>('GET', '/api/system');
  return warnings.find(({ code }) => code === 'shared_limits_unavailable')?.message ?? null;
}

async function untilWell(node: ClusterNode): Promise<void> {
  let ailment: string | null = null;
  const isWell = async (): Promise<boolean> => {
    ailment = await ailmentOf(node);
    return ailment === null;
  };
  await eventually('a node is well again', isWell, RECOVERY_MS).catch((cause: unknown) => {
    throw new Error(`${ailment}\n${node.gate.output()}`, { cause });
  });
}

async function stopAll({ nodes, postgres, redis, upstreams, receiver, roundRobin }: Parts): Promise<void> {
  postgres.thaw();
  redis.thaw();
  await roundRobin.stop();
  for (const { gate, toPostgres, toRedis } of nodes) {
    await gate.stop();
    await toPostgres.stop();
    await toRedis.stop();
  }
  await Promise.all(upstreams.map((upstream) => upstream.stop()));
  await receiver.stop();
  await redis.stop();
  await postgres.stop();
}

async function judgement(
  parts: Parts,
  { audit, load, budgets }: { audit: LedgerAudit; load: Load; budgets: Budgets },
): Promise<ClusterVerdict> {
  const records = await load.finish();
  const reached = await reachedOf(parts.upstreams);
  await eventually(
    'what was sent is in the ledger',
    async () => {
      const sessions = new Set((await gateOf(parts).requestsJson()).map(({ sessionId }) => sessionId));
      return [...reached.keys()].every((session) => sessions.has(session));
    },
    RECOVERY_MS,
  ).catch(() => undefined); // the judge says what is missing
  const verdict = judgeCluster({ records, reached, rows: await gateOf(parts).requestsJson() });
  await audit.newRows();
  verdict.violations.push(
    ...(await budgetFindings(parts, budgets)),
    ...(await alertFindings(parts)),
    ...(await audit.checkEveryRow()),
  );
  return verdict;
}

/** Three nodes on one PostgreSQL and one Redis of their own, under load through a plain round robin. */
export async function startCluster(dice: Dice): Promise<Cluster> {
  const [postgres, redis] = await Promise.all([postgresFound.start(), redisFound.start()]);
  const plans = new Map<string, Plan>();
  const respond = scriptedUpstream(plans);
  const upstreams = [await startFakeUpstream(respond), await startFakeUpstream(respond)];
  const nodes: ClusterNode[] = [];
  const roundRobin = await startRoundRobin(() => nodes.map(({ gate }) => gate.port));
  const parts: Parts = { nodes, postgres, redis, upstreams, receiver: await startFakeReceiver(), roundRobin };
  try {
    const masterKey = randomBytes(32).toString('hex');
    nodes.push(await startNode(parts, { first: true, masterKey }));
    const others = Array.from({ length: NODES - 1 }, () => startNode(parts, { first: false, masterKey }));
    nodes.push(...(await Promise.all(others)));
    const audit = new LedgerAudit(gateOf(parts));
    const budgets = await setUp(parts);
    const [abort, strict] = gateOf(parts).keys;
    const load = new Load({
      ...{ port: roundRobin.port, dice, clients: CLIENTS, prefix: 'cluster', plans },
      keys: { abort: abort?.key ?? '', drain: strict?.key ?? '' },
    });
    return {
      ...{ nodes, postgres, redis, load },
      healed: async () => {
        for (const node of nodes) await untilWell(node);
      },
      finish: () => judgement(parts, { audit, load, budgets }),
      stop: async () => {
        await load.finish();
        await stopAll(parts);
      },
    };
  } catch (error) {
    await stopAll(parts);
    throw error;
  }
}
