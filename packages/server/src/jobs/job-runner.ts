import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { JobStore } from '../store/ports/jobs.ts';
import type { After, Job, Turn, Turns } from './job.ts';

export interface JobRunnerDeps {
  jobs: readonly Job[];
  turns: Turns;
  /** Where runs are noted while several processes take turns. */
  record: JobStore;
  /** Named in the record. */
  node: string;
  clock: Clock;
  logger: Logger;
  after: After;
}

/** A successor begins a job at most this much before its period is over: timers are not exact. */
const EARLIEST_MS = 1_000;

interface Running {
  job: Job;
  /** The run under way; null between runs. */
  run: Promise<void> | null;
  /** It was woken while it ran. */
  again: boolean;
  cancel(): void;
}

/**
 * Runs the periodic jobs, each alone and never beside itself, while it is this process's turn. Where processes take
 * turns each run is noted in the store under the turn's fence before it begins, so that a period has one run.
 */
export class JobRunner {
  readonly #deps: JobRunnerDeps;
  readonly #running: ReadonlyMap<string, Running>;
  #stopped = false;

  constructor(deps: JobRunnerDeps) {
    this.#deps = deps;
    this.#running = new Map(
      deps.jobs.map((job) => [job.name, { job, run: null, again: false, cancel: () => undefined }]),
    );
  }

  /** True while this process does the jobs. */
  get hasTurn(): boolean {
    return this.#deps.turns.current() !== null;
  }

  start(): void {
    this.#deps.turns.start(() => {
      for (const one of this.#running.values()) this.#try(one, false);
    });
    for (const one of this.#running.values()) this.#schedule(one);
  }

  /** Runs a job before it is due, when it is this process's turn; one that runs is run once more. */
  wake(name: string): void {
    const one = this.#running.get(name);
    if (one === undefined) throw new Error(`there is no job ${name}`);
    this.#try(one, true);
  }

  /** Begins nothing more, waits for what runs, and passes the turn on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const one of this.#running.values()) one.cancel();
    await Promise.all([...this.#running.values()].map(({ run }) => run));
    await this.#deps.turns.stop();
  }

  #schedule(one: Running): void {
    one.cancel = this.#deps.after(one.job.everyMs, () => {
      this.#try(one, false);
      this.#schedule(one);
    });
  }

  #try(one: Running, early: boolean): void {
    if (this.#stopped) return;
    if (one.run !== null) {
      one.again ||= early;
      return;
    }
    const turn = this.#deps.turns.current();
    if (turn === null) return;
    one.run = this.#run(one.job, turn, early)
      .catch((error: unknown) => {
        this.#deps.logger.warn('a job could not be noted; it is tried again', {
          reason: `job ${one.job.name}`,
          error,
        });
      })
      .finally(() => {
        one.run = null;
        const { again } = one;
        one.again = false;
        if (again) this.#try(one, true);
      });
  }

  async #run(job: Job, turn: Turn, early: boolean): Promise<void> {
    const { record, node, clock } = this.#deps;
    const { name, everyMs } = job;
    const { fence } = turn;
    if (fence === null) return void (await this.#attempt(job, turn));
    const nowMs = clock.now();
    const nextMs = nowMs + everyMs - Math.min(EARLIEST_MS, everyMs / 10);
    const run = await record.beginJob(fence, { name, node, nowMs, nextMs: Math.round(nextMs), early });
    if (run === null) return;
    const failed = !(await this.#attempt(job, turn));
    await record.endJob(fence, { name, run, nowMs: clock.now(), failed });
  }

  /** False when it failed: the next period tries again. */
  async #attempt(job: Job, turn: Turn): Promise<boolean> {
    try {
      await job.run(turn);
      return true;
    } catch (error) {
      this.#deps.logger.warn('a job failed; it is tried again', { reason: `job ${job.name}`, error });
      return false;
    }
  }
}
