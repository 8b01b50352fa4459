import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, ClusterNode } from './cluster-world.ts';
import type { Dice } from './dice.ts';

/** Something that happens to one part, and passes. */
export interface Fault {
  name: string;
  /** Left out of the short form. */
  longOnly?: true;
  /** Resolves when it is over. */
  happen(cluster: Cluster, node: ClusterNode, lastsMs: number): Promise<void>;
}

/** What is done to a node, to PostgreSQL, to Redis, and to the network between any two of them. */
export const FAULTS: readonly Fault[] = [
  {
    name: 'a node is killed',
    async happen(_cluster, { gate }) {
      await gate.kill9();
      await gate.restart();
    },
  },
  {
    name: 'a node stops and goes on',
    async happen(_cluster, { gate }, lastsMs) {
      process.kill(gate.pid, 'SIGSTOP');
      await sleep(lastsMs);
      process.kill(gate.pid, 'SIGCONT');
    },
  },
  {
    name: 'Redis stops and goes on',
    longOnly: true,
    async happen({ redis }, _node, lastsMs) {
      redis.freeze();
      await sleep(lastsMs);
      redis.thaw();
    },
  },
  {
    name: 'Redis is killed and starts empty',
    async happen({ redis }, _node, lastsMs) {
      await redis.kill();
      await sleep(lastsMs / 2);
      await redis.restart();
    },
  },
  {
    name: 'PostgreSQL stops and goes on',
    longOnly: true,
    async happen({ postgres }, _node, lastsMs) {
      postgres.freeze();
      await sleep(lastsMs);
      postgres.thaw();
    },
  },
  {
    name: 'PostgreSQL is killed and starts again',
    async happen({ postgres }, _node, lastsMs) {
      await postgres.kill();
      await sleep(lastsMs / 2);
      await postgres.restart();
    },
  },
  {
    name: 'a node loses Redis in silence',
    async happen(_cluster, { toRedis }, lastsMs) {
      toRedis.silence();
      await sleep(lastsMs);
      toRedis.heal();
    },
  },
  {
    name: 'a node hears nothing of what Redis answers',
    longOnly: true,
    async happen(_cluster, { toRedis }, lastsMs) {
      toRedis.swallowAnswers();
      await sleep(lastsMs);
      toRedis.heal();
    },
  },
  {
    name: 'a node loses PostgreSQL in silence',
    longOnly: true,
    async happen(_cluster, { toPostgres }, lastsMs) {
      toPostgres.silence();
      await sleep(lastsMs);
      toPostgres.heal();
    },
  },
  {
    name: 'a node is cut off from both',
    async happen(_cluster, { toPostgres, toRedis }, lastsMs) {
      toPostgres.refuse();
      toRedis.refuse();
      await sleep(lastsMs);
      toPostgres.heal();
      toRedis.heal();
    },
  },
];

/** Each fault once, in the order given or shuffled, every one on a node at random, and all is well in between. */
export async function happenInTurn(
  cluster: Cluster,
  {
    dice,
    faults,
    lastsMs,
    told,
  }: { dice: Dice; faults: readonly Fault[]; lastsMs: number; told?(name: string): void },
): Promise<void> {
  for (const fault of faults) {
    const served = cluster.load.records.length;
    const node = cluster.nodes[dice.between(0, cluster.nodes.length - 1)];
    if (node === undefined) throw new Error('a cluster without nodes');
    told?.(fault.name);
    await fault.happen(cluster, node, lastsMs);
    await cluster.healed();
    await cluster.load.until(served + 20, 10_000);
  }
}
