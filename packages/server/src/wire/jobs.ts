import { Gauge, type Registry } from 'prom-client';
import type { After, Job, Turns } from '../jobs/job.ts';
import { JobRunner } from '../jobs/job-runner.ts';
import { LeasedTurns } from '../jobs/leased-turns.ts';
import { retentionJob } from '../jobs/retention.ts';
import { soleTurns } from '../jobs/sole-turns.ts';
import type { LiveFeed } from '../ledger/live-feed.ts';
import type { AlertParts } from './alerts.ts';
import type { Core } from './core.ts';

/** After a commit the rules wait this long for more of them, so that heavy traffic is not judged row by row. */
const AFTER_COMMIT_MS = 2_000;
/** Judging may take this part of the time at most: with many rules and much traffic it comes round less often. */
const REST_FACTOR = 5;
const EVALUATE_EVERY_MS = 30_000;
const DELIVER_EVERY_MS = 5_000;
const ALERTS_JOB = 'alerts';

const after: After = (ms, run) => {
  const timer = setTimeout(run, ms).unref();
  return () => clearTimeout(timer);
};

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

/** How long the rules are left alone after they were judged. */
class Rest {
  readonly #clock: Core['clock'];
  ms = AFTER_COMMIT_MS;

  constructor(clock: Core['clock']) {
    this.#clock = clock;
  }

  async after(judging: () => Promise<unknown>): Promise<void> {
    const startedMs = this.#clock.monotonicMs();
    try {
      await judging();
    } finally {
      this.ms = Math.max(AFTER_COMMIT_MS, REST_FACTOR * (this.#clock.monotonicMs() - startedMs));
    }
  }
}

function alertJobs({ shared, outbox, deliver }: AlertParts, rest: Rest): Job[] {
  return [
    {
      name: ALERTS_JOB,
      everyMs: EVALUATE_EVERY_MS,
      async run({ fence }) {
        await rest.after(() => shared.evaluate({ fence }));
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
  { logger }: Core,
): { look(): void; stop(): Promise<void> } {
  let running: Promise<unknown> = Promise.resolve();
  const look = (): void => {
    running = local
      .evaluate()
      .then(({ events }) => {
        if (events > 0) deliver();
      })
      .catch((error: unknown) => logger.warn('the alert rules could not be evaluated', { error }));
  };
  const timer = setInterval(look, EVALUATE_EVERY_MS).unref();
  return {
    look,
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}

/**
 * Starts what is done again and again for the whole installation, by one process at a time: rules are judged every
 * half minute and after commits of the ledger, what is due is sent, what has had its time is removed.
 * @returns stops it, and waits for what is under way
 */
export function startJobs({ core, alerting, node, liveFeed, registry }: JobsGround): () => Promise<void> {
  const { store, clock, logger } = core;
  const rest = new Rest(clock);
  const jobs = [...alertJobs(alerting, rest), retentionJob({ store, clock })];
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
  let cancelSoon: (() => void) | null = null;
  const unsubscribe = liveFeed.subscribe(() => {
    if (!alerting.shared.watching && !alerting.local.watching) return;
    cancelSoon ??= after(rest.ms, () => {
      cancelSoon = null;
      runner.wake(ALERTS_JOB);
      locally?.look();
    });
  });
  runner.start();
  locally?.look();
  return async () => {
    unsubscribe();
    cancelSoon?.();
    await Promise.all([
      runner.stop(),
      locally?.stop(),
      alerting.outbox.stop().catch((error: unknown) => {
        logger.warn('an alert that was being sent could not be finished', { error });
      }),
    ]);
  };
}
