import { parseArgs } from 'node:util';
import { emptyTally, runSeries, type Series, type Tally } from './campaign.ts';
import { runClusterRound } from './cluster-campaign.ts';
import { CLUSTER_SKIPPED } from './cluster-world.ts';

/**
 * `npm run chaos`: kills the server under load, round after round, then lets every part of a cluster of three nodes fail
 * in turn, and accounts for every request. Exit code 0 when nothing was lost, counted twice or wrong; 1 otherwise, with
 * what was and the seed.
 */
const USAGE = `npm run chaos [-- --rounds N] [--clusters N] [--seed N]
  --rounds N   how often the server is killed (200)
  --clusters N how many clusters of three nodes live through every fault (4)
  --seed N     what is sent; a run prints its own`;

const ROUNDS_A_SERIES = 20;
/** Two of five series on PostgreSQL when there is one, both fsync policies on either. */
const PLACES = [
  { store: 'sqlite', fsync: 'process' },
  { store: 'postgres', fsync: 'process' },
  { store: 'sqlite', fsync: 'disk' },
  { store: 'sqlite', fsync: 'process' },
  { store: 'postgres', fsync: 'disk' },
] as const;

function wholeNumber(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  process.stderr.write(`Not a whole number: ${text}\n${USAGE}\n`);
  process.exit(2);
}

function line(tally: Tally): string {
  const { rounds, requests, complete, interrupted, settledUnseen } = tally;
  return `${rounds} rounds: ${requests} requests, ${complete} answered completely, ${interrupted} interrupted, ${settledUnseen} settled before their client saw the end`;
}

interface Options {
  rounds: number;
  clusters: number;
  seed: number;
}

function readOptions(): Options {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({ options: { rounds: text, clusters: text, seed: text } });
    return {
      rounds: wholeNumber(values.rounds, 200),
      clusters: wholeNumber(values.clusters, 4),
      seed: wholeNumber(values.seed, Date.now() % 1e9),
    };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
    process.exit(2);
  }
}

async function run({ rounds, seed }: Options): Promise<Tally> {
  const tally = emptyTally();
  for (let index = 0; tally.rounds < rounds && tally.violations.length === 0; index++) {
    const place = PLACES[index % PLACES.length] ?? PLACES[0];
    const many = Math.min(ROUNDS_A_SERIES, rounds - tally.rounds);
    const series: Series = { ...place, rounds: many, seed: seed + index };
    process.stdout.write(`${series.store}, fsync ${series.fsync}\n`);
    const isReached = await runSeries(series, tally, (now) => process.stdout.write(`  ${line(now)}\n`));
    if (isReached) continue;
    process.stdout.write('  PostgreSQL does not answer: SQLite instead\n');
    await runSeries({ ...series, store: 'sqlite' }, tally, (now) => process.stdout.write(`  ${line(now)}\n`));
  }
  return tally;
}

/** What was wrong, in words; the first cluster with a violation is the last. */
async function runClusters({ clusters, seed }: Options): Promise<string[]> {
  if (CLUSTER_SKIPPED !== null) {
    process.stdout.write(`no clusters: ${CLUSTER_SKIPPED}\n`);
    return [];
  }
  for (let round = 0; round < clusters; round++) {
    process.stdout.write(`cluster ${round + 1} of ${clusters}, seed ${seed + round}\n`);
    const told = (name: string): void => void process.stdout.write(`  ${name}\n`);
    const { violations, ...counts } = await runClusterRound(round, seed + round, told);
    process.stdout.write(`  ${JSON.stringify(counts)}\n`);
    if (violations.length > 0) return violations;
  }
  return [];
}

const options = readOptions();
process.stdout.write(`${options.rounds} rounds, ${options.clusters} clusters, seed ${options.seed}\n`);
const tally = await run(options);
process.stdout.write(
  `${line(tally)}\n${tally.heldRounds} rounds in which the ledger had committed nothing, ${tally.recoveryKills} kills during recovery\n`,
);
const violations = [...tally.violations, ...(await runClusters(options))];
for (const violation of violations) process.stdout.write(`VIOLATION ${violation}\n`);
process.exitCode = violations.length === 0 ? 0 : 1;
