import { describe, expect, it } from 'vitest';
import { FAULTS, happenInTurn } from './cluster-faults.ts';
import { CLUSTER_SKIPPED, startCluster } from './cluster-world.ts';
import { createDice } from './dice.ts';

/** Three starts and a restart, on a machine that may be busy with other tests. */
const TIMEOUT_MS = 400_000;
const SHORT = FAULTS.filter(({ longOnly }) => longOnly !== true);
const seed = Date.now() >>> 0;

describe.skipIf(CLUSTER_SKIPPED !== null)('three nodes under load, each part failing in turn (X-08)', () => {
  it(
    `nothing is lost or counted twice, limits hold, each rule tells once (seed ${seed}) (X-02, CF-17, TW-16)`,
    async () => {
      const dice = createDice(seed);
      const cluster = await startCluster(dice);
      try {
        await cluster.load.until(40, 20_000);
        await happenInTurn(cluster, { dice, faults: SHORT, lastsMs: 1_500 });
        const verdict = await cluster.finish();
        expect(verdict.violations).toEqual([]);
        expect(verdict.answered).toBeGreaterThan(100);
        expect(verdict.refused).toBeGreaterThan(0);
      } finally {
        await cluster.stop();
      }
    },
    TIMEOUT_MS,
  );
});
