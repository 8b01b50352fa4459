import type { FsyncPolicy } from '@tallygate/server/journal/journal';
import { ChaosWorld, type Round } from './chaos-world.ts';
import { type ChaosDatabase, postgresDatabase, sqliteDatabase } from './databases.ts';
import { createDice, type Dice } from './dice.ts';

/** Rounds on one data directory. */
export interface Series {
  store: 'sqlite' | 'postgres';
  fsync: FsyncPolicy;
  rounds: number;
  seed: number;
}

export interface Tally {
  rounds: number;
  requests: number;
  complete: number;
  interrupted: number;
  settledUnseen: number;
  /** Rounds whose ledger had committed nothing when the server died, and processes killed while they recovered. */
  heldRounds: number;
  recoveryKills: number;
  violations: string[];
}

export const emptyTally = (): Tally => ({
  rounds: 0,
  requests: 0,
  complete: 0,
  interrupted: 0,
  settledUnseen: 0,
  heldRounds: 0,
  recoveryKills: 0,
  violations: [],
});

const MOST_ENDINGS = 300;

/** Mostly a plain kill; in two rounds of five the ledger had no chance to commit, in every fourth its successor is killed too. */
function drawRound(dice: Dice, index: number): Required<Round> {
  return {
    endings: dice.between(0, MOST_ENDINGS),
    holdLedger: index % 5 === 1 || index % 5 === 3,
    killsInRecovery: index % 4 === 2 ? dice.between(1, 2) : 0,
  };
}

async function openDatabase(store: Series['store']): Promise<ChaosDatabase | null> {
  return store === 'sqlite' ? sqliteDatabase() : postgresDatabase();
}

/**
 * Kills the server `rounds` times on one data directory and adds to the tally what came of it. Stops at the first
 * round with a violation: what follows would only repeat it.
 * @returns false when the store of the series cannot be reached
 */
export async function runSeries(
  series: Series,
  tally: Tally,
  onRound: (tally: Tally) => void = () => undefined,
): Promise<boolean> {
  const database = await openDatabase(series.store);
  if (database === null) return false;
  const dice = createDice(series.seed);
  const world = await ChaosWorld.open({ database, fsync: series.fsync, dice });
  try {
    for (let index = 0; index < series.rounds && tally.violations.length === 0; index++) {
      const round = drawRound(dice, index);
      const verdict = await world.killRound(round);
      tally.rounds++;
      tally.requests += verdict.requests;
      tally.complete += verdict.complete;
      tally.interrupted += verdict.interrupted;
      tally.settledUnseen += verdict.settledUnseen;
      tally.heldRounds += round.holdLedger ? 1 : 0;
      tally.recoveryKills += round.killsInRecovery;
      tally.violations.push(...verdict.violations);
      onRound(tally);
    }
    if (tally.violations.length === 0) tally.violations.push(...(await world.lastCheck()));
  } finally {
    await world.stop();
  }
  return true;
}
