import { parseArgs } from 'node:util';
import { emptyTally, runSeries, type Series, type Tally } from './campaign.ts';

/**
 * `npm run chaos`: kills the server under load, round after round, and accounts for every request. Exit code 0 when
 * nothing was lost, counted twice or wrong; 1 otherwise, with what was and the seed.
 */
const USAGE = `npm run chaos [-- --rounds N] [--seed N]
  --rounds N   how often the server is killed (200)
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

function readOptions(): { rounds: number; seed: number } {
  try {
    const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' } } });
    return { rounds: wholeNumber(values.rounds, 200), seed: wholeNumber(values.seed, Date.now() % 1e9) };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
    process.exit(2);
  }
}

async function run({ rounds, seed }: { rounds: number; seed: number }): Promise<Tally> {
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

const options = readOptions();
process.stdout.write(`${options.rounds} rounds, seed ${options.seed}\n`);
const tally = await run(options);
process.stdout.write(
  `${line(tally)}\n${tally.heldRounds} rounds in which the ledger had committed nothing, ${tally.recoveryKills} kills during recovery\n`,
);
for (const violation of tally.violations) process.stdout.write(`VIOLATION ${violation}\n`);
process.exitCode = tally.violations.length === 0 ? 0 : 1;
