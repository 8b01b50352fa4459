import { Gauge, type Registry } from 'prom-client';
import type { Job, Turns } from '../jobs/job.ts';
import { JobRunner } from '../jobs/job-runner.ts';
import { LeasedTurns } from '../jobs/leased-turns.ts';
import { retentionJob } from '../jobs/retention.ts';
import { soleTurns } from '../jobs/sole-turns.ts';
import { systemTimers } from '../kernel/timers.ts';
import type { LiveFeed } from '../ledger/live-feed.ts';
import type { AlertParts } from './alerts.ts';
import type { Core } from './core.ts';
import { JudgingTimes } from './judging-times.ts';

const EVALUATE_EVERY_MS = 30_000;
const DELIVER_EVERY_MS = 5_000;
const ALERTS_JOB = 'alerts';
const { after } = systemTimers;

interface JobsGround {
  core: Core;
  alerting: AlertParts;
  /** Names this process in the record. */
  node: string;
  liveFeed: LiveFeed;
  registry: Registry;
}

function createTurns({ store, clock, newId, logger }: Core): Turns {
  if (!store.capabilities.multiProcess) return soleTurns();
  return new LeasedTurns({ leases: store.leases, clock, newId, logger, after });
}

function alertJobs({ shared, outbox, deliver }: AlertParts, times: JudgingTimes): Job[] {
  return [
    {
      name: ALERTS_JOB,
      everyMs: EVALUATE_EVERY_MS,
      async run({ fence }) {
        await times.measure(() => shared.evaluate({ fence }));
        deliver();
      },
    },
    // A delivery is claimed before it is sent, so that a successor takes up only what was left.
    { name: 'deliveries', everyMs: DELIVER_EVERY_MS, run: () => outbox.run() },
  ];
}

/** What each process judges by what it alone knows, beside the jobs. */
function watchLocally(
  { local, deliver }: AlertParts,
  { clock, logger }: Core,
): { times: JudgingTimes; stop(): Promise<void> } {
  let running: Promise<unknown> = Promise.resolve();
  const judge = (): void => {
    running = times
      .measure(() => local.evaluate())
      .then(({ events }) => {
        if (events > 0) deliver();
      })
      .catch((error: unknown) => logger.warn('the alert rules could not be evaluated', { error }));
  };
  const times = new JudgingTimes({ clock, after, judge });
  const timer = setInterval(judge, EVALUATE_EVERY_MS).unref();
  judge();
  return {
    times,
    async stop() {
      times.stop();
      clearInterval(timer);
      await running;
    },
  };
}

/** Has the rules judged after commits of the ledger, and what is about accounts as soon as one turns. */
function judgeOnChange(
  { core, alerting, liveFeed }: JobsGround,
  times: { shared: JudgingTimes; local: JudgingTimes | null },
): () => void {
  const { states } = core.pooling;
  const unsubscribe = liveFeed.subscribe(() => {
    if (alerting.shared.watching) times.shared.committed();
    if (alerting.local.watching) times.local?.committed();
  });
  const [judges, byTurn] =
    times.local === null ? [alerting.shared, times.shared] : [alerting.local, times.local];
  states.onTurn(() => {
    if (judges.watching) byTurn.turned();
  });
  return () => {
    unsubscribe();
    states.onTurn(() => undefined);
  };
}

/**
 * Starts what is done again and again for the whole installation, by one process at a time: rules are judged every
 * half minute and after commits of the ledger, what is due is sent, what has had its time is removed.
 * @returns stops it, and waits for what is under way
 */
export function startJobs(ground: JobsGround): () => Promise<void> {
  const { core, alerting, node, registry } = ground;
  const { store, clock, logger } = core;
  const shared = new JudgingTimes({ clock, after, judge: () => runner.wake(ALERTS_JOB) });
  const jobs = [...alertJobs(alerting, shared), retentionJob({ store, clock })];
  const turns = createTurns(core);
  const runner = new JobRunner({ jobs, turns, record: store.jobs, node, clock, logger, after });
  new Gauge({
    name: 'tallygate_jobs_turn',
    help: '1 while this process does the periodic jobs for all nodes',
    registers: [registry],
    collect() {
      this.set(runner.hasTurn ? 1 : 0);
    },
  });
  const locally = store.capabilities.multiProcess ? watchLocally(alerting, core) : null;
  const leave = judgeOnChange(ground, { shared, local: locally?.times ?? null });
  runner.start();
  return async () => {
    leave();
    shared.stop();
    await Promise.all([
      runner.stop(),
      locally?.stop(),
      alerting.outbox.stop().catch((error: unknown) => {
        logger.warn('an alert that was being sent could not be finished', { error });
      }),
    ]);
  };
}
