import { FAULTS, type Fault, happenInTurn } from './cluster-faults.ts';
import type { ClusterVerdict } from './cluster-judge.ts';
import { startCluster } from './cluster-world.ts';
import { createDice, type Dice } from './dice.ts';

/** Longer than the lease of the jobs, so that a node that is stopped comes back to find its turn gone. */
const LONG_MS = 14_000;
const SHORT_MS = 1_500;

/** Every fault once, in an order of its own. */
function shuffled(dice: Dice): Fault[] {
  const left = [...FAULTS];
  const order: Fault[] = [];
  while (left.length > 0) order.push(...left.splice(dice.between(0, left.length - 1), 1));
  return order;
}

/** One life of a cluster in which every fault happens once, every second life for a long time. */
export async function runClusterRound(
  round: number,
  seed: number,
  told: (name: string) => void,
): Promise<ClusterVerdict> {
  const dice = createDice(seed);
  const cluster = await startCluster(dice);
  try {
    await cluster.load.until(40, 20_000);
    const lastsMs = round % 2 === 0 ? SHORT_MS : LONG_MS;
    await happenInTurn(cluster, { dice, faults: shuffled(dice), lastsMs, told });
    return await cluster.finish();
  } finally {
    await cluster.stop();
  }
}
